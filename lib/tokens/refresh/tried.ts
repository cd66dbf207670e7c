/** How one step of the ladder ended; what it found was noted. */
export type Tried =
  | { readonly published: true }
  | {
      readonly published: false
      readonly error: unknown
      /** A refresh token was saved although nothing was published. */
      readonly hasSaved?: boolean
    }
