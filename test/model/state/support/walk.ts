import type { Field } from '../../../../lib/model/state/fields.ts'

/** Every field that is declared, parts of parts included; `[]` stands for what a list or a group by name holds. */
export function declared({ shape, of }: Field<unknown>, path = ''): readonly string[] {
  if (shape) return Object.entries(shape).flatMap(([name, field]) => declared(field, `${path}.${name}`))
  return of ? declared(of, `${path}[]`) : [path]
}

/** The paths of {@link declared} at which a value has something. */
export function filled({ shape, of }: Field<unknown>, value: unknown, path = ''): readonly string[] {
  if (value === undefined) return []
  if (shape) {
    const fields = value as Readonly<Record<string, unknown>>
    return Object.entries(shape).flatMap(([name, field]) => filled(field, fields[name], `${path}.${name}`))
  }
  return of ? Object.values(value as object).flatMap((item) => filled(of, item, `${path}[]`)) : [path]
}
