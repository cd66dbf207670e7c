import { type Context, Hono } from 'hono'
import { BARE, type CommandWords } from '../model/command-words.ts'
import { TokenkeeperError } from '../model/errors.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import { noSuchPath, problemOf, problemResponse } from '../rest/problem.ts'
import { siteHeaders } from '../site/headers.ts'
import { noSuchPage } from '../site/login-site.ts'
import { show } from '../site/pages/page.ts'
import { plainPage } from '../site/pages/problem-page.ts'
import { wordedReplies } from '../site/pages/worded-replies.ts'

export interface FrameOptions {
  readonly ports: {
    readonly telemetry: Pick<Telemetry, 'error'>
    /** Origins that replace the brokers' own. @default - none */
    readonly hosts?: Ports['hosts']
  }
  /** How its visitors call our command. @default - by its bare name */
  readonly words?: CommandWords
  /** Whether it is reached over https. */
  readonly secure: boolean
  /** Whether it has pages: a browser is answered with one, then, whatever went wrong. */
  readonly hasPages: boolean
}

/** What pages and REST share: headers, commands worded for the reader, and how unknown paths and errors are answered. */
export function frame({ ports, words, secure, hasPages }: FrameOptions): Hono {
  const app = new Hono()
  const wantsPage = (context: Context): boolean =>
    hasPages && (context.req.header('accept')?.includes('text/html') ?? false)

  app.use(wordedReplies(words ?? BARE))
  app.use(siteHeaders({ secure, hosts: Object.values(ports.hosts ?? {}) }))
  app.notFound((context) => {
    if (wantsPage(context)) return show(context, noSuchPage())
    return problemResponse(context, noSuchPath())
  })
  app.onError((error, context) => {
    const known = error instanceof TokenkeeperError
    const code = known ? error.code : 'internal'
    ports.telemetry.error('a page could not be shown', { code, reason: known ? error.message : error.name })
    if (wantsPage(context)) {
      const what = known ? 'What is on record could not be read.' : 'Something unforeseen happened.'
      const fix = 'Try again in a minute.'
      return show(context, plainPage({ title: 'This did not work', what, fix, status: 503 }))
    }
    return problemResponse(context, problemOf(error))
  })
  return app
}
