import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isLoopback } from '../http/allowed-origin.ts'
import { show } from './pages/page.ts'
import { foreignFormPage, plainPage, tooLongPage } from './pages/problem-page.ts'

/** A pasted address with a code, and a token as a broker posts it, are smaller. */
const LONGEST_BODY_BYTES = 8 * 1024

/** Does not read longer bodies and answers them as any other, so that the poster learns nothing. */
export const shortBody: MiddlewareHandler = bodyLimit({
  maxSize: LONGEST_BODY_BYTES,
  onError: (context) => context.body(null, 200),
})

/** Answers longer forms, which people send, with a page that says so. */
export const shortForm: MiddlewareHandler = bodyLimit({
  maxSize: LONGEST_BODY_BYTES,
  onError: (context) => show(context, tooLongPage()),
})

export interface SiteAddress {
  /** The site's origin. */
  readonly siteUrl: string
  /** Whether the login page opens without a signed link, since only this machine can reach it. */
  readonly open: boolean
}

/**
 * Refuses forms that another site made the browser post. The form token is the real protection; here the
 * headers are checked in which browsers say where a form comes from. They say "null" for pages that send no
 * referrer, such as ours.
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
 * Redirects a browser that came by another name of this machine (localhost for 127.0.0.1) to the one name its
 * cookie belongs to. Only where both names are loopback, so that no Host header and no tunnel can redirect
 * elsewhere.
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

/**
 * Lets only a person's browser, which follows the broker's redirect, use up a code: no HEAD of a scanner, no
 * prefetch.
 */
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

/** Whether all of these addresses name this machine. */
export function areLoopback(...urls: readonly URL[]): boolean {
  return urls.every(({ hostname }) => isLoopback(hostname))
}

/** The query as it came, with its question mark; empty where there is none. */
export function queryOf(url: string): string {
  return /\?[^#]*/.exec(url)?.[0] ?? ''
}
