import { ConfigurationError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker, CredentialField } from '../../ports/broker/broker.ts'
import { type StoredSecrets, storedValue } from '../../ports/token-vault.ts'
import { ask, askHidden } from '../terminal/prompts.ts'
import type { Imports } from './credential-imports.ts'

export type TypedValues = ReadonlyMap<SecretName, Secret>

/** Asks for whatever was not imported; Enter keeps what is stored or leaves an optional value out. Throws Cancelled. */
export async function askForMissing(
  broker: Broker,
  imports: Imports,
  stored: StoredSecrets,
): Promise<TypedValues> {
  const given = new Map<SecretName, Secret>()
  for (const field of broker.credentials) {
    if (imports.has(field.name)) continue
    const value = await answerFor(field, stored.get(field.name)?.value)
    if (value !== undefined) given.set(field.name, value)
  }
  return given
}

async function answerFor(field: CredentialField, kept: Secret | undefined): Promise<Secret | undefined> {
  const check = (answer: string): string | undefined => {
    const value = answer.trim()
    if (value !== '') return field.problem?.(value)
    return field.required && !kept ? 'it is needed' : undefined
  }
  const hint = kept ? ' (Enter keeps the stored one)' : field.required ? '' : ' (Enter to leave it out)'
  const answer = field.hidden
    ? await askHidden(`${field.label}${hint}`, check)
    : await ask(`${field.label}${kept ? '' : hint}`, kept?.reveal() ?? '', check)
  const value = answer.trim()
  return value === '' || value === kept?.reveal() ? undefined : storedValue(field.name, value)
}

/** Throws ConfigurationError naming every imported value that is malformed, never a value. */
export function assertWellFormed(broker: Broker, imports: Imports): void {
  const problems = broker.credentials.flatMap(({ name, problem }) => {
    const imported = imports.get(name)
    const wrong = imported && problem?.(imported.value.reveal())
    return wrong ? [`${name} (${imported.source}): ${wrong}`] : []
  })
  if (problems.length === 0) return
  throw new ConfigurationError(`nothing was stored: ${problems.join('; ')}`, {
    fix: 'correct the source and run it again',
  })
}

/** Throws ConfigurationError naming what is required and neither stored nor given, with the variable of each. */
export function assertComplete(
  broker: Broker,
  given: ReadonlySet<SecretName>,
  stored: StoredSecrets,
  id: string,
): void {
  const missing = broker.credentials.filter(
    ({ name, required }) => required && !given.has(name) && !stored.has(name),
  )
  if (missing.length === 0) return
  const names = missing.map(({ name, env = [] }) => (env[0] ? `${name} (${env[0]})` : name))
  throw new ConfigurationError(`nothing was stored; missing: ${names.join(', ')}`, {
    fix: `in a terminal, where it asks, run tokenkeeper setup ${id}; or add the variables to a file for --from-env`,
  })
}
