import type { CodeLogin } from '../ports/login.ts'
import { Secret } from '../tokens/secret.ts'

/** More than any broker's redirect has. */
const LONGEST = 8192

/** What a person copied after a login, as far as it says what it is. */
export type Pasted =
  /** The query of the redirect, with the state the login was begun with. */
  | { readonly kind: 'redirect'; readonly query: string; readonly state: string }
  /** A code by itself, or in an address that names no state. */
  | { readonly kind: 'code'; readonly code: string }
  /** Neither, and why. */
  | { readonly kind: 'useless'; readonly why: string }

/**
 * Reads what was pasted: the whole address a browser ended at, its query alone, or a bare code. `redirectUriOf` tells
 * where the login of a state was to end, so that a page on the way there is not taken for the end.
 */
export function readPasted(
  text: string,
  login: CodeLogin,
  redirectUriOf: (state: string) => string | undefined = () => undefined,
): Pasted {
  const pasted = text.trim().replace(/^["'<]+|["'>]+$/g, '')
  // Whatever it is, no message and no log is to repeat it.
  new Secret(pasted)
  if (pasted === '') return useless('nothing was given')
  if (pasted.length > LONGEST) return useless(`it is longer than ${LONGEST} characters`)
  const whole = /^https?:\/\//i.test(pasted) && URL.canParse(pasted) ? new URL(pasted) : undefined
  const query = whole ? whole.search.slice(1) : queryIn(pasted)
  if (query === undefined) {
    return /\s/.test(pasted) ? useless('it is more than one word') : { kind: 'code', code: pasted }
  }
  const parameters = new URLSearchParams(query)
  const { code } = login.readCallback(parameters)
  const state = parameters.get('state')
  if (!state) {
    return code ? { kind: 'code', code: code.reveal() } : useless('there is no code in this address')
  }
  new Secret(state)
  const redirectUri = redirectUriOf(state)
  const elsewhere = whole && redirectUri !== undefined && pageOf(whole) !== pageOf(new URL(redirectUri))
  if (code === undefined && elsewhere) {
    return useless(`this is not the page where the login ends, ${redirectUri}`)
  }
  return { kind: 'redirect', query, state }
}

/** The query of an address, without the rest of it. */
function queryIn(text: string): string | undefined {
  return /^\?|^\w+=[^=]+(&|$)/.test(text) ? text.replace(/^\?/, '') : undefined
}

function pageOf({ origin, pathname }: URL): string {
  return `${origin}${pathname.replace(/\/$/, '')}`
}

function useless(why: string): Pasted {
  return { kind: 'useless', why }
}
