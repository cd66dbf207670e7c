import { Temporal } from 'temporal-polyfill'
import { type AccountId, isAccountId } from '../account-id.ts'

/** What one place in a record holds: what it is in memory, and how it is read from what is stored there. */
export interface Field<Value> {
  /** For whoever walks through a record's declaration. */
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
  /** Of what a list or a group by name is. */
  readonly of?: Field<unknown>
  /** The fields of a part. */
  readonly shape?: Shape
  /** The names of `oneOf`. */
  readonly names?: readonly string[]
  /** Tells in `faults` what does not fit: where and why, never what it is. What it returns then is used by nobody. */
  read(stored: unknown, at: string, faults: string[]): Value
}

export interface OptionalField<Value> extends Field<Value> {
  readonly isOptional: true
}

export type Shape = Readonly<Record<string, Field<unknown>>>

/** What a field is in memory. */
export type ValueOf<F> = F extends Field<infer Value> ? Value : never

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

/** A value that is stored as it is in memory, where `fits` says so. */
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

/** Set, or not there. */
export const yes = plain('yes', (value): value is true => value === true, 'is not true')

export const accountId = plain(
  'accountId',
  (value): value is AccountId => isText(value) && isAccountId(value),
  'is no account id',
)

/** One of these names, and none that only a later release knows. */
export function oneOf<const Name extends string>(...names: readonly Name[]): Field<Name> {
  const known: ReadonlySet<unknown> = new Set(names)
  const isKnown = (value: unknown): value is Name => known.has(value)
  return { ...plain('oneOf', isKnown, `is none of ${names.join(', ')}`), names }
}

/**
 * One of our names that are shown and compared and never looked up in a table: one that only a later release knows is
 * taken as it is.
 */
export function openName<Name extends string>(): Field<Name> {
  return text as Field<Name>
}

/** An instant: ISO 8601 text where it is stored, which it writes itself as; a Temporal.Instant in memory. */
export const instant: Field<Temporal.Instant> = {
  kind: 'instant',
  read(stored, at, faults) {
    try {
      if (isText(stored)) return Temporal.Instant.from(stored)
    } catch {
      // Told below: the error quotes the text.
    }
    faults.push(`${at} is no instant`)
    return undefined as never
  },
}

/** A field that may be absent, and is never `undefined`. */
export function optional<Value>(field: Field<Value>): OptionalField<Value> {
  return { ...field, isOptional: true }
}

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

/** Texts by names that are not ours. */
export const texts = byName(text, text) as Field<Readonly<Record<string, string>>>

/** A part of the record. Fields it does not know are kept as they are stored, unseen by the types. */
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
