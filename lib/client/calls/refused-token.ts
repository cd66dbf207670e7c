import type { ReplyHead } from './reply-head.ts'

/**
 * How a broker says that it does not take the access token. Body before status where the brokers want it so; what
 * speaks against a call but not against its token is none of it.
 */
export interface RefusalRule {
  /** Whether the body has to be looked at, from status and headers alone. */
  looksAtBody?(head: ReplyHead): boolean
  /** `body` is parsed JSON; `undefined` where it was not looked at or is none. */
  isRefusal(head: ReplyHead, body: unknown): boolean
}

/**
 * lib/brokers/fyers/README.md, Errors, `code` of a body: -8 expired, -15 data routes, -16 trading routes, -17 invalid.
 */
const FYERS_DEAD_TOKEN: readonly unknown[] = [-8, -15, -16, -17]
/** lib/brokers/iifl-xts/README.md, Errors: both come with HTTP 400. */
const XTS_DEAD_TOKEN: readonly unknown[] = ['e-session-0007', 'e-session-0002']
/** lib/brokers/iifl/README.md, Errors: token not valid, unauthorized access; possibly with HTTP 200. */
const IIFL_DEAD_TOKEN = /\bEC0(?:44|75)\b/
/** lib/brokers/zerodha/README.md, Errors: a wrong API secret has the same error type, told apart by its prose only. */
const KITE_DEAD_TOKEN = 'TokenException'
const KITE_CHECKSUM_TEXT = 'checksum'
/** lib/brokers/pos-connector/README.md, Errors: a redirect to the login page means the same as 401. */
const LOGIN_PAGE = /\/login\/?$/

/** What its guards and JWT packages say under other statuses, 200 included. */
const POS_DEAD_TOKEN =
  /^(unauthenticated\.?|token_(expired|invalid|not_provided|blacklisted)|token has expired)$/i

const BY_STATUS: RefusalRule = { isRefusal: ({ status }) => status === 401 }

const RULES: Readonly<Record<string, RefusalRule>> = {
  fyers: {
    looksAtBody: mayBeError,
    isRefusal({ status }, body) {
      const code = field(body, 'code')
      if (typeof code === 'number' && field(body, 's') === 'error') return FYERS_DEAD_TOKEN.includes(code)
      return status === 401
    },
  },
  iifl: {
    looksAtBody: mayBeError,
    isRefusal({ status }, body) {
      const said = `${field(body, 'status')} ${field(body, 'status') === 'Not_Ok' ? field(body, 'message') : ''}`
      return status === 401 || IIFL_DEAD_TOKEN.test(said)
    },
  },
  'iifl-xts': {
    looksAtBody: ({ status }) => status === 400,
    isRefusal: ({ status }, body) => status === 401 || XTS_DEAD_TOKEN.includes(field(body, 'code')),
  },
  zerodha: {
    looksAtBody: ({ status }) => status === 403,
    isRefusal({ status }, body) {
      const aboutSecret = String(field(body, 'message')).toLowerCase().includes(KITE_CHECKSUM_TEXT)
      return status === 401 || (field(body, 'error_type') === KITE_DEAD_TOKEN && !aboutSecret)
    },
  },
  'pos-connector': {
    looksAtBody: mayBeError,
    isRefusal: (head, body) =>
      head.status === 401 ||
      (head.status === 302 && LOGIN_PAGE.test(pathOf(head.header('location')))) ||
      ['message', 'error', 'code'].some((name) => POS_DEAD_TOKEN.test(String(field(body, name)).trim())),
  },
}

/** 401, unless the broker has another way to say it. */
export function refusalRuleOf(brokerId: string): RefusalRule {
  return RULES[brokerId] ?? BY_STATUS
}

/** FYERS and IIFL report errors under any status, 200 too; such a body is short. */
function mayBeError({ status, isJson, contentLength }: ReplyHead): boolean {
  return isJson && status < 500 && (status >= 400 || contentLength === undefined || contentLength <= 1_024)
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

function pathOf(location: string | undefined): string {
  return location?.split(/[?#]/, 1)[0] ?? ''
}
