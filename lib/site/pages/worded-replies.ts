import type { MiddlewareHandler } from 'hono'
import { html } from 'hono/html'
import { type CommandWords, worded } from '../../model/command-words.ts'

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/
const PAGE_TYPE = /^text\/html\b/

/**
 * Rewrites the commands in every page and reply of the site to those that its visitors can run. They come
 * from records, brokers' adapters and services, which do not know where they will be read.
 */
export function wordedReplies(words: CommandWords): MiddlewareHandler {
  return async (context, next) => {
    await next()
    const reply = context.res
    const type = reply.headers.get('content-type') ?? ''
    const isPage = PAGE_TYPE.test(type)
    if (reply.body === null || !(isPage || JSON_TYPE.test(type))) return
    const text = worded(await reply.text(), words, isPage ? inCode : inJson)
    context.res = new Response(text, reply)
  }
}

function inCode(command: string): string {
  return String(html`<code>${command}</code>`)
}

/** The command escaped for a JSON text. */
function inJson(command: string): string {
  return JSON.stringify(command).slice(1, -1)
}
