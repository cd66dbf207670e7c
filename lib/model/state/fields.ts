import { Temporal } from 'temporal-polyfill'
import { type AccountId, isAccountId } from '../account-id.ts'

/** One field of a record: its type in memory, and how it is read from what is stored. */
export interface Field<Value> {
  /** The kind of the field, for code that walks through a record's declaration. */
  readonly kind:
    | 'accountId'
    | 'text'
    | 'number'
    | 'yesOrNo'
    | 'yes'
    | 'instant'
    | 'oneOf'
    | 'list'
    | 'byName'
    | 'part'
  readonly isOptional?: boolean
  /** The field that each value of a list or of a group by name has. */
  readonly of?: Field<unknown>
  /** The fields of a part. */
  readonly shape?: Shape
  /** The names of `oneOf`. */
  readonly names?: readonly string[]
  /**
   * Reads a stored value. Adds to `faults` what does not fit: the place and why, never the value. With
   * faults, what it returns is not used.
   */
  read(stored: unknown, at: string, faults: string[]): Value
}

export interface OptionalField<Value> extends Field<Value> {
  readonly isOptional: true
}

export type Shape = Readonly<Record<string, Field<unknown>>>

/** The type of a field's value in memory. */
export type ValueOf<F> = F extends Field<infer Value> ? Value : never

/** The type of a group of named fields in memory. */
export type PartOf<S extends Shape> = {
  readonly [Name in keyof S as S[Name] extends OptionalField<unknown> ? never : Name]: ValueOf<S[Name]>
} & {
  readonly [Name in keyof S as S[Name] extends OptionalField<unknown> ? Name : never]?: ValueOf<S[Name]>
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => Number.isFinite(value)
const isYesOrNo = (value: unknown): value is boolean => typeof value === 'boolean'
/** Whether a stored value has fields. */
export const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A field whose value is the same in memory and where it is stored; `fits` checks it. */
function plain<Value>(
  kind: Field<Value>['kind'],
  fits: (value: unknown) => value is Value,
  why: string,
): Field<Value> {
  return {
    kind,
    read(stored, at, faults) {
      if (!fits(stored)) faults.push(`${at} ${why}`)
      return stored as Value
    },
  }
}

export const text = plain('text', isText, 'is no text')
export const number = plain('number', isNumber, 'is no number')
export const yesOrNo = plain('yesOrNo', isYesOrNo, 'is neither true nor false')

/** A flag that is `true` or absent. */
export const yes = plain('yes', (value): value is true => value === true, 'is not true')

export const accountId = plain(
  'accountId',
  (value): value is AccountId => isText(value) && isAccountId(value),
  'is no account id',
)

/** One of these names. A name that only a later release knows is a fault. */
export function oneOf<const Name extends string>(...names: readonly Name[]): Field<Name> {
  const known: ReadonlySet<unknown> = new Set(names)
  const isKnown = (value: unknown): value is Name => known.has(value)
  return { ...plain('oneOf', isKnown, `is none of ${names.join(', ')}`), names }
}

/**
 * One of our names that are only shown and compared, and never looked up in a table: a name that only a later
 * release knows is accepted.
 */
export function openName<Name extends string>(): Field<Name> {
  return text as Field<Name>
}

/**
 * An instant: ISO 8601 text where it is stored (JSON.stringify writes it so), a Temporal.Instant in memory.
 */
export const instant: Field<Temporal.Instant> = {
  kind: 'instant',
  read(stored, at, faults) {
    try {
      if (isText(stored)) return Temporal.Instant.from(stored)
    } catch {
      // The fault is added below; this error would quote the text.
    }
    faults.push(`${at} is no instant`)
    return undefined as never
  },
}

/** A field that may be absent, and is never `undefined`. */
export function optional<Value>(field: Field<Value>): OptionalField<Value> {
  return { ...field, isOptional: true }
}

/** A list of values of one kind. */
export function list<Value>(of: Field<Value>): Field<readonly Value[]> {
  return {
    kind: 'list',
    of,
    read(stored, at, faults) {
      if (Array.isArray(stored)) return stored.map((item, index) => of.read(item, `${at}.${index}`, faults))
      faults.push(`${at} is no list`)
      return []
    },
  }
}

/** Any number of values of one kind, each under a name. */
export function byName<Name extends string, Value>(
  _names: Field<Name>,
  of: Field<Value>,
): Field<{ readonly [Each in Name]?: Value }> {
  return {
    kind: 'byName',
    of,
    read(stored, at, faults) {
      if (!isGroup(stored)) faults.push(`${at} is no group of fields`)
      const items = Object.entries(isGroup(stored) ? stored : {})
      return Object.fromEntries(
        items.map(([name, item]) => [name, of.read(item, `${at}.${name}`, faults)]),
      ) as { [Each in Name]?: Value }
    },
  }
}

/** A group of texts by names that are not ours. */
export const texts = byName(text, text) as Field<Readonly<Record<string, string>>>

/** A group of named fields. Unknown fields are kept as they are stored, though the types do not show them. */
export function part<const S extends Shape>(shape: S): Field<PartOf<S>> & { readonly shape: S } {
  const fields = Object.entries(shape)
  return {
    kind: 'part',
    shape,
    read(stored, at, faults) {
      if (!isGroup(stored)) faults.push(`${at || 'it'} is no group of fields`)
      const value: Record<string, unknown> = isGroup(stored) ? { ...stored } : {}
      for (const [name, field] of isGroup(stored) ? fields : []) {
        const path = at === '' ? name : `${at}.${name}`
        if (value[name] !== undefined) value[name] = field.read(value[name], path, faults)
        else if (!field.isOptional) faults.push(`${path} is missing`)
      }
      return value as PartOf<S>
    },
  }
}
