import { stackCommand } from '../../lib/model/command-words.ts'

/** The variables that replace brokers' hosts, as lib/http/host-overrides.ts reads them. */
export function hostVariables(
  ...hosts: readonly (Readonly<Record<string, string | undefined>> | undefined)[]
): Record<string, string | undefined> {
  const all = hosts.flatMap((one) => Object.entries(one ?? {}))
  return Object.fromEntries(all.map(([name, origin]) => [`TOKENKEEPER_HOST_${name}`, origin]))
}

/** A function's environment without what is not set. */
export function definedOnly(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const set = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return Object.fromEntries(set)
}

/** How people call our command, as functions/runtime/stack-words.ts reads it; what that takes for granted is left out. */
export function commandVariable(command: string): Record<string, string> {
  return command === stackCommand('local') ? {} : { TOKENKEEPER_COMMAND: command }
}
