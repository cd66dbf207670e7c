/** The part of an SDK client that a test looks into. */
interface Watched {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: object) => Promise<never>,
        context: { readonly commandName?: string },
      ) => (args: object) => Promise<never>,
      options: { readonly step: 'finalizeRequest'; readonly priority: 'low'; readonly name: string },
    ): void
  }
}

/** The operations a client really sends, repeats included, in their order. */
export function callsOf(client: object): string[] {
  const calls: string[] = []
  ;(client as Watched).middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        calls.push(commandName.replace(/Command$/, ''))
        return next(args)
      },
    // Inside the retries, so that each attempt counts.
    { step: 'finalizeRequest', priority: 'low', name: 'callsOf' },
  )
  return calls
}
