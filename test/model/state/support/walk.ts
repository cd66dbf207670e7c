import type * as z from 'zod/mini'

/** A schema's own description, as far as the record's schemas go. */
type Def =
  | { readonly type: 'object'; readonly shape: Readonly<Record<string, z.core.$ZodType>> }
  | { readonly type: 'optional'; readonly innerType: z.core.$ZodType }
  | { readonly type: 'array'; readonly element: z.core.$ZodType }
  | { readonly type: 'record'; readonly valueType: z.core.$ZodType }
  | { readonly type: 'enum'; readonly entries: Readonly<Record<string, string>> }
  | { readonly type: 'literal'; readonly values: readonly unknown[] }
  | { readonly type: 'string' | 'number' | 'boolean' | 'custom' | 'pipe' }

export function defOf(schema: z.core.$ZodType): Def {
  return schema._zod.def as unknown as Def
}

/** Every field a schema declares, parts of parts included; `[]` stands for what a list or a group by name holds. */
export function declared(schema: z.core.$ZodType, path = ''): readonly string[] {
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape).flatMap(([name, field]) => declared(field, `${path}.${name}`))
    case 'optional':
      return declared(def.innerType, path)
    case 'array':
      return declared(def.element, `${path}[]`)
    case 'record':
      return declared(def.valueType, `${path}[]`)
    default:
      return [path]
  }
}

/** The paths of {@link declared} at which a value has something. */
export function filled(schema: z.core.$ZodType, value: unknown, path = ''): readonly string[] {
  if (value === undefined) return []
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape).flatMap(([name, field]) =>
        filled(field, (value as Record<string, unknown>)[name], `${path}.${name}`),
      )
    case 'optional':
      return filled(def.innerType, value, path)
    case 'array':
      return (value as readonly unknown[]).flatMap((item) => filled(def.element, item, `${path}[]`))
    case 'record':
      return Object.values(value as object).flatMap((item) => filled(def.valueType, item, `${path}[]`))
    default:
      return [path]
  }
}
