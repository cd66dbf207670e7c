/** How one step of the ladder went; what it found is noted. */
export type Tried =
  | { readonly published: true }
  | {
      readonly published: false
      readonly error: unknown
      /** A refresh token was saved all the same. */
      readonly hasSaved?: boolean
    }
