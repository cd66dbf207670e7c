import type { Command } from 'commander'
import { splitCommand } from '../../lib/cli/program-commands.ts'

/** What the command line's own parser says to `tokenkeeper …`: "taken", else why not; nothing is done. */
export async function parsed(command: string): Promise<readonly string[]> {
  const { program } = await import('../../lib/cli/main.ts')
  const words = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  const { ownArguments } = splitCommand([
    'node',
    ...words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')),
  ])
  const said: string[] = []
  silence(program, (text) => said.push(text))
  const end = await program.parseAsync(ownArguments).then(
    () => 'taken',
    (error: Error) => error.message,
  )
  return [end, ...said]
}

/** Parses as ever and then does nothing. */
function silence(command: Command, say: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeErr: say, writeOut: say })
  const isGroup = command.commands.length > 0
  if (!isGroup) command.action(() => undefined)
  for (const one of command.commands) silence(one, say)
}
