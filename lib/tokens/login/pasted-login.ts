import { isBrokenJwt } from '../../model/expiry/jwt.ts'
import { Secret } from '../../model/secret.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'

/** More than any broker's redirect has. */
const LONGEST = 8192
/** Pairs people, mails and chats put around an address. */
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
/** What a code can be made of; anything else is prose, an address or a mistake. */
const PLAUSIBLE_CODE = /^[A-Za-z0-9._~+/=|-]{4,}$/
const COPY_AGAIN = 'it was cut off or changed on the way: copy it again, whole'

/** What a person copied after a login, as far as it says what it is. */
export type Pasted =
  /** The query of the redirect, with the state the login was begun with. */
  | { readonly kind: 'redirect'; readonly query: string; readonly state: string }
  /** A code by itself, or in an address that names no state. */
  | { readonly kind: 'code'; readonly code: string }
  /** Neither, and why. */
  | { readonly kind: 'useless'; readonly why: string }

/**
 * Reads what was pasted, at the command line or on the page: the whole address a browser ended at, its query alone, or a
 * bare code, in whatever a mail, a chat or a telephone has put around it. `redirectUriOf` tells where the login of a state
 * was to end, so that a page on the way there is not taken for the end.
 */
export function readPasted(
  text: string,
  login: Pick<CodeLogin, 'readCallback'>,
  redirectUriOf: (state: string) => string | undefined = () => undefined,
): Pasted {
  if (text.length > 2 * LONGEST) return useless(`it is longer than ${LONGEST} characters`)
  const pasted = unwrapped(text)
  // Whatever it is, no message and no log is to repeat it.
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

/** Without what stands around it; never longer than what was given. */
function unwrapped(text: string): string {
  // Mails break long addresses, and byte-order marks and zero-width blanks come along unseen.
  let rest = text.replace(/[\u200b-\u200d\u2060\ufeff]/g, '').trim()
  if (!/ \S/.test(rest.replace(MARKDOWN_LINK, ''))) rest = rest.replace(/\s*[\r\n]+\s*/g, '')
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = (MARKDOWN_LINK.exec(rest)?.[1] ?? jsonText(rest) ?? rest).trim()
    for (const [open, close] of WRAPPERS) {
      if (rest.length > 1 && rest.startsWith(open) && rest.endsWith(close)) rest = rest.slice(1, -1).trim()
    }
  }
  // Half a pair is left where only one end was selected.
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

/** The query of an address, without the rest of it. */
function queryIn(text: string): string | undefined {
  return PARAMETERS.test(text) && !/^\w+=+$/.test(text) ? text.replace(/^[?#]/, '') : undefined
}

/** What is no code is never sent: a broker counts it, or takes it for an attack. */
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
