/** A process that is one warm Lambda container: loads a bundle, runs its handler on demand, says how long it took. */
import { pathToFileURL } from 'node:url'

export interface Invoked {
  readonly milliseconds: number
  readonly rssBytes: number
  readonly reply: { readonly refreshed?: number; readonly results?: readonly { readonly outcome: string }[] }
}

const TIME_LIMIT_MS = 600_000

const [, , bundle = ''] = process.argv
const { handler } = (await import(pathToFileURL(bundle).href)) as {
  handler: (event: unknown, context: unknown) => Promise<Invoked['reply']>
}
process.on('message', async (event) => {
  const start = performance.now()
  const context = {
    awsRequestId: `bench-${start}`,
    functionName: 'bench-fyers',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:bench-fyers',
    getRemainingTimeInMillis: () => TIME_LIMIT_MS - (performance.now() - start),
  }
  const reply = await handler(event, context)
  const invoked: Invoked = {
    milliseconds: performance.now() - start,
    rssBytes: process.memoryUsage.rss(),
    reply,
  }
  process.send?.(invoked)
})
process.send?.('ready')
