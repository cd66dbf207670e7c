import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isLoopback } from '../http/allowed-origin.ts'
import { show } from './pages/page.ts'
import { foreignFormPage, plainPage, tooLongPage } from './pages/problem-page.ts'

/** An address with a code in it, or a token as a broker posts it, is smaller. */
const LONGEST_BODY_BYTES = 8 * 1024

/** Longer bodies are not even read, and answered as any other: whoever posts learns nothing. */
export const shortBody: MiddlewareHandler = bodyLimit({
  maxSize: LONGEST_BODY_BYTES,
  onError: (context) => context.body(null, 200),
})

/** The same for people. */
export const shortForm: MiddlewareHandler = bodyLimit({
  maxSize: LONGEST_BODY_BYTES,
  onError: (context) => show(context, tooLongPage()),
})

export interface SiteAddress {
  /** Its origin. */
  readonly siteUrl: string
  /** Whether the page opens without a signed link, since only this machine can reach it. */
  readonly open: boolean
}

/**
 * Refuses forms that another site made the browser post. The form token is the real defence; browsers say where a
 * form comes from as well. "null" is what they say on pages that tell nobody where they are, such as ours.
 */
export function ownForms(address: SiteAddress): MiddlewareHandler {
  return async (context, next) => {
    const { method } = context.req
    if (method === 'GET' || method === 'HEAD') return next()
    const origin = context.req.header('origin')
    const site = context.req.header('sec-fetch-site')
    const fromElsewhere = site !== undefined && site !== 'same-origin'
    const foreign = origin !== undefined && origin !== 'null' && !isOurs(origin, context, address)
    return fromElsewhere || foreign ? show(context, foreignFormPage()) : next()
  }
}

function isOurs(origin: string, context: Context, { siteUrl, open }: SiteAddress): boolean {
  if (origin === siteUrl) return true
  const host = context.req.header('host') ?? ''
  return open && origin === `http://${host}` && URL.canParse(origin) && areLoopback(new URL(origin))
}

/**
 * Takes a browser that came by another name of this machine (localhost for 127.0.0.1) to the one name its cookie
 * belongs to. Only where both are loopback, so that no Host header and no tunnel leads anywhere else.
 */
export function oneLoopbackName({ siteUrl, open }: SiteAddress): MiddlewareHandler {
  return async (context, next) => {
    const { path, url } = context.req
    const asked = `http://${context.req.header('host') ?? ''}`
    if (!open || asked === siteUrl || !URL.canParse(asked)) return next()
    if (!areLoopback(new URL(asked), new URL(siteUrl))) return next()
    return context.redirect(siteUrl + path + queryOf(url), 303)
  }
}

/** Only a person's browser, following the broker's redirect, may spend a code: no scanner's HEAD, no prefetch. */
export const onlyNavigation: MiddlewareHandler = async (context, next) => {
  const purpose = context.req.header('sec-purpose') ?? context.req.header('purpose') ?? ''
  if (context.req.method === 'GET' && !/prefetch|prerender/i.test(purpose)) return next()
  return show(
    context,
    plainPage({
      title: 'Open this page yourself',
      what: 'A program asked for this page ahead of you. Nothing was changed.',
      fix: 'Log in at the broker, and let it bring you here.',
      status: 403,
    }),
  )
}

export function areLoopback(...urls: readonly URL[]): boolean {
  return urls.every(({ hostname }) => isLoopback(hostname))
}

/** The query as it came, with its question mark; empty where there is none. */
export function queryOf(url: string): string {
  return /\?[^#]*/.exec(url)?.[0] ?? ''
}
