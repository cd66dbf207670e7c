import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'

/** A field that may be absent, and is never `undefined`. */
export const optional = z.exactOptional

/** An instant: ISO 8601 text where it is stored, which it writes itself as; a Temporal.Instant in memory. */
export const instant = z.pipe(
  z.string(),
  z.transform((text, { issues }) => {
    try {
      return Temporal.Instant.from(text)
    } catch {
      issues.push({ code: 'custom', message: 'is no instant', input: text })
      return z.NEVER
    }
  }),
)

/**
 * One of our names that are shown and compared and never looked up in a table: one that only a later release knows is
 * taken as it is. A `z.enum` takes none but its own.
 */
export function openName<Name extends string>(): z.ZodMiniCustom<Name, Name> {
  return z.custom<Name>((value) => typeof value === 'string', 'is no text')
}

/** By the name of a secret, its version and time when something was sent: it was stored again where these differ. */
export const stamps = z.record(z.string(), z.string())

/** A part of the record. Fields it does not know are kept as they are stored, unseen by the types. */
export function part<const Shape extends z.core.$ZodShape>(
  shape: Shape,
): z.ZodMiniObject<Shape, z.core.$strip> {
  return z.looseObject(shape) as unknown as z.ZodMiniObject<Shape, z.core.$strip>
}

/** What a part is in memory: its fields typed as they are declared, and nothing to be changed in place. */
export type Stored<Part extends z.core.$ZodType> = Fixed<z.output<Part>>

type Fixed<T> = T extends string | number | boolean | Temporal.Instant
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Fixed<Item>[]
    : { readonly [Field in keyof T]: Fixed<T[Field]> }
