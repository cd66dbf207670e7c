import type { SimulatedFault } from '../kit/simulator.ts'

/** A limit that is used up. */
export interface Throttle {
  readonly limit: number
  readonly retryAfterSeconds: number
  readonly resetEpochSeconds: number
}

/** Laravel's usual answers (lib/brokers/pos-connector/README.md, Errors). */
export function reply(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ message }, { status, headers })
}

/** A validation error: each field with what is wrong about it. */
export function invalid(
  errors: Readonly<Record<string, readonly string[]>>,
  message = 'The given data was invalid.',
): Response {
  return Response.json({ message, errors }, { status: 422 })
}

export function page(status: number, title: string): Response {
  return new Response(
    `<!doctype html><html><head><title>${title}</title></head><body>${title}</body></html>`,
    {
      status,
      headers: { 'content-type': 'text/html; charset=UTF-8' },
    },
  )
}

export function toLoginPage(loginPage: string): Response {
  return new Response(`<html><body>Redirecting to ${loginPage}</body></html>`, {
    status: 302,
    headers: { location: loginPage, 'content-type': 'text/html; charset=UTF-8' },
  })
}

/** Laravel's throttle middleware: the headers clients are told to heed. */
export function tooMany(
  body: Readonly<Record<string, unknown>>,
  { limit, retryAfterSeconds, resetEpochSeconds }: Throttle,
): Response {
  const headers = {
    'retry-after': String(retryAfterSeconds),
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(resetEpochSeconds),
  }
  return Response.json(body, { status: 429, headers })
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): SimulatedFault {
  return {
    kind: 'reply',
    status,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  }
}

/** What can stand in for any reply of the backend: its middleware, its debug mode, the proxy before it. */
export const POS_FAULTS = {
  unauthorizedAction: json(403, { message: 'This action is unauthorized.' }),
  notFound: json(404, { message: 'Not Found' }),
  methodNotAllowed: json(405, { message: 'The POST method is not supported for route api/login.' }),
  csrfMismatch: json(419, { message: 'CSRF token mismatch.' }),
  pageExpired: {
    kind: 'reply',
    status: 419,
    body: '<!doctype html><html><title>Page Expired</title></html>',
    headers: { 'content-type': 'text/html' },
  },
  loginRedirect: { kind: 'reply', status: 302, body: '', headers: { location: '/login' } },
  serverError: json(500, { message: 'Server Error' }),
  maintenance: (retryAfterSeconds?: number): SimulatedFault =>
    json(
      503,
      { message: 'Service Unavailable' },
      retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    ),
  throttled: (retryAfterSeconds: number): SimulatedFault =>
    json(429, { message: 'Too Many Attempts.' }, { 'retry-after': String(retryAfterSeconds) }),
  /** `APP_DEBUG=true`: a stack trace that holds request data. */
  debugError: (canary: string): SimulatedFault =>
    json(500, {
      message: `SQLSTATE[HY000] near "${canary}"`,
      exception: 'Illuminate\\Database\\QueryException',
      file: '/srv/pos/vendor/laravel/framework/src/Illuminate/Database/Connection.php',
      line: 760,
      trace: [{ function: 'attempt', class: 'Illuminate\\Auth\\SessionGuard', args: [{ password: canary }] }],
    }),
} as const satisfies Record<string, SimulatedFault | ((value: never) => SimulatedFault)>
