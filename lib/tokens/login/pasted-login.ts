import { isBrokenJwt } from '../../model/expiry/jwt.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'

/** Characters; no broker's redirect is longer. */
const LONGEST = 8192
/** Pairs of characters that people, mails and chats put around an address. */
const WRAPPERS: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ["'", "'"],
  ['`', '`'],
  ['<', '>'],
  ['(', ')'],
  ['[', ']'],
  ['\u201c', '\u201d'],
  ['\u201e', '\u201c'],
  ['\u2018', '\u2019'],
  ['\u00ab', '\u00bb'],
]
const MARKDOWN_LINK = /^\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)$/
/** iOS copies addresses without their scheme. */
const ADDRESS_WITHOUT_SCHEME = /^(?:[\w-]+\.)*[\w-]+(?::\d+)?\/[^\s?#]*[?#]/
const PARAMETERS = /^[?#]?[A-Za-z_]\w*=/
/** The characters of a code; anything else is prose, an address or a mistake. */
const PLAUSIBLE_CODE = /^[A-Za-z0-9._~+/=|-]{4,}$/
const COPY_AGAIN = 'it was cut off or changed on the way: copy it again, whole'

/** What a person pasted after a login. */
export type Pasted =
  /** The query of the redirect, and the state in it. */
  | { readonly kind: 'redirect'; readonly query: string; readonly state: string }
  /** A code by itself, or from an address without a state. */
  | { readonly kind: 'code'; readonly code: string }
  /** Nothing that can be used, and why. */
  | { readonly kind: 'useless'; readonly why: string }

/**
 * Reads what a person pasted, at the command line or on the page: the whole address a browser ended at, its
 * query alone, or a bare code, with whatever a mail, a chat or a telephone has put around it. Never throws,
 * and sends nothing. `redirectUriOf` gives the address where the login of a state ends, so that a page on the
 * way there is recognised.
 */
export function readPasted(
  text: string,
  login: Pick<CodeLogin, 'readCallback'>,
  redirectUriOf: (state: string) => string | undefined = () => undefined,
): Pasted {
  if (text.length > 2 * LONGEST) return useless(`it is longer than ${LONGEST} characters`)
  const pasted = unwrapped(text)
  // Made a secret so that no message and no log repeats it.
  new Secret(pasted)
  if (pasted === '') return useless('nothing was given')
  if (pasted.length > LONGEST) return useless(`it is longer than ${LONGEST} characters`)
  const whole = addressIn(pasted)
  const query = whole ? (whole.search || whole.hash).slice(1) : queryIn(pasted)
  if (query === undefined) return bareCode(pasted)
  const parameters = new URLSearchParams(query)
  const { code } = login.readCallback(parameters)
  if (code && isBrokenJwt(code)) return useless(COPY_AGAIN)
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

/** The text without what stands around it; never longer than `text`. */
function unwrapped(text: string): string {
  // Mail programs break long addresses; byte-order marks and zero-width blanks are copied along unseen.
  let rest = text.replace(/[\u200b-\u200d\u2060\ufeff]/g, '').trim()
  if (!/ \S/.test(rest.replace(MARKDOWN_LINK, ''))) rest = rest.replace(/\s*[\r\n]+\s*/g, '')
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = (MARKDOWN_LINK.exec(rest)?.[1] ?? jsonText(rest) ?? rest).trim()
    for (const [open, close] of WRAPPERS) {
      if (rest.length > 1 && rest.startsWith(open) && rest.endsWith(close)) rest = rest.slice(1, -1).trim()
    }
  }
  // One half of a pair is left where only one end was selected.
  return rest.replace(/^["'`<\u201c\u2018]+|["'`>\u201d\u2019]+$/g, '').replaceAll('&amp;', '&')
}

function jsonText(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'string' ? parsed : undefined
  } catch {
    return undefined
  }
}

function addressIn(text: string): URL | undefined {
  if (/^https?:\/\//i.test(text)) return URL.parse(text) ?? undefined
  return ADDRESS_WITHOUT_SCHEME.test(text) ? (URL.parse(`https://${text}`) ?? undefined) : undefined
}

/** The query alone, where that was pasted without the rest of the address; `undefined` for anything else. */
function queryIn(text: string): string | undefined {
  return PARAMETERS.test(text) && !/^\w+=+$/.test(text) ? text.replace(/^[?#]/, '') : undefined
}

/**
 * A bare code, where it looks like one. Anything else must not be sent: a broker counts it, or takes it for
 * an attack.
 */
function bareCode(text: string): Pasted {
  if (/\s/.test(text)) return useless('it is more than one word')
  if (!PLAUSIBLE_CODE.test(text) || /^https?:/i.test(text)) return useless('there is no code in it')
  if (isBrokenJwt(new Secret(text))) return useless(COPY_AGAIN)
  return { kind: 'code', code: text }
}

function pageOf({ host, pathname }: URL): string {
  return `${host}${pathname.replace(/\/$/, '')}`
}

function useless(why: string): Pasted {
  return { kind: 'useless', why }
}
