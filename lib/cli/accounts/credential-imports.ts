import { z } from 'zod'
import { ConfigurationError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import { storedValue } from '../../ports/token-vault.ts'
import { parseEnvFile } from '../backend/env-file.ts'
import type { Environment } from '../backend/setting.ts'
import { readTextFile } from '../backend/text-file.ts'

/** A value that was found somewhere, and where: "FYERS_CLIENT_ID in .env". */
interface Imported {
  readonly value: Secret
  readonly source: string
}

export type Imports = ReadonlyMap<SecretName, Imported>

/** A value of a config.json (R4.5). An id may be written as a number; of a secret that may have lost its zeros. */
const ConfigText = z.string().nullish()
const ConfigId = z.union([z.string(), z.number().transform(String)]).nullish()

/** So many letters are a slip: URL for URI, an S too many. */
const NEAR = 3

/** The values of a broker among environment variables, by the names its guide gave them. */
export function importsFromEnvironment(broker: Broker, env: Environment, where: string): Imports {
  const found = new Map<SecretName, Imported>()
  for (const { name, env: variables = [] } of broker.credentials) {
    const variable = variables.find((candidate) => (env[candidate] ?? '').trim() !== '')
    const value = variable === undefined ? undefined : withoutQuotes(env[variable]?.trim() ?? '')
    if (value !== undefined)
      found.set(name, { value: storedValue(name, value), source: `${variable} ${where}` })
  }
  return found
}

/** `docker --env-file` hands quotes over as part of the value. */
function withoutQuotes(value: string): string {
  return /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value
}

/**
 * Variables that begin as a broker's do and are none of them: a slip of the pen, most likely; with the one that may be
 * meant.
 */
export function nearMisses(broker: Broker, env: Environment): readonly string[] {
  const known = credentialVariables(broker)
  const others = otherVariables(broker)
  const prefixes = new Set(known.map((name) => name.slice(0, name.indexOf('_') + 1)))
  return Object.keys(env)
    .filter((name) => !known.includes(name) && !others.includes(name))
    .filter((name) => [...prefixes].some((prefix) => name.startsWith(prefix)))
    .map((name) => {
      const meant = known.find((candidate) => distance(name, candidate) <= NEAR)
      return meant === undefined ? name : `${name} (${meant}?)`
    })
}

/** Levenshtein's: how many letters are to be changed, added or left out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** Throws ConfigurationError for a file with nothing for this broker: another one was meant, or its names are others. */
export function assertOfUse(broker: Broker, file: Environment, path: string): void {
  const names = credentialVariables(broker)
  if ([...names, ...otherVariables(broker)].some((name) => (file[name] ?? '').trim() !== '')) return
  const misses = nearMisses(broker, file)
  const has = misses.length > 0 ? `; it has ${misses.join(', ')}` : ''
  throw new ConfigurationError(`${path} has none of the variables of ${broker.displayName}${has}`, {
    fix: names.length > 0 ? `name them ${names.join(', ')}` : 'leave --from-env out',
  })
}

function credentialVariables({ credentials }: Broker): readonly string[] {
  return credentials.flatMap(({ env: variables = [] }) => [...variables])
}

/** Read elsewhere: listed accounts and the hosts. */
function otherVariables({ guide }: Broker): readonly string[] {
  const { accountsVariable, hostVariables = {} } = guide ?? {}
  return [...(accountsVariable ? [accountsVariable] : []), ...Object.values(hostVariables)]
}

/**
 * The variables of a .env file. They are only read, never put into this process's environment, which its children
 * would inherit. Throws ConfigurationError when the file cannot be read.
 */
export function readEnvFile(path: string): Environment {
  return parseEnvFile(readText(path, '--from-env'), path)
}

/** The values of a config.json. Throws ConfigurationError when the broker has none, it cannot be read or is no such file. */
export function importsFromConfig({ displayName, credentials, guide }: Broker, path: string): Imports {
  const keys = guide?.configKeys
  if (!keys) {
    throw new ConfigurationError(`${displayName} has no config.json to take values from`, {
      fix: 'leave --from-config out',
    })
  }
  const isShown = (name: string): boolean => credentials.some((field) => field.name === name && !field.hidden)
  const shape = Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [key, isShown(name) ? ConfigId : ConfigText]),
  )
  const config = z.looseObject(shape).safeParse(parsed(readText(path, '--from-config'), path))
  if (!config.success) {
    const wrong = config.error.issues.map((issue) => issue.path.join('.') || 'the whole file').join(', ')
    throw new ConfigurationError(`${path} is not the config.json that can be imported: ${wrong}`, {
      fix: `it must be a JSON object with ${Object.values(keys).join(', ')} as texts`,
    })
  }
  const found = new Map<SecretName, Imported>()
  for (const name of SECRET_NAMES) {
    const key = keys[name]
    const value = key === undefined ? undefined : config.data[key]
    if (key === undefined || typeof value !== 'string' || value.trim() === '') continue
    found.set(name, { value: storedValue(name, value.trim()), source: `${key} in ${path}` })
  }
  return found
}

function readText(path: string, option: string): string {
  try {
    return readTextFile(path, path)
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError(`the file ${path} cannot be read`, {
      cause,
      fix: `check the path given with ${option}`,
    })
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No cause: the parser's message quotes the file, which holds a password.
    throw new ConfigurationError(`${path} is no JSON`, { fix: 'look for a missing comma, quote or bracket' })
  }
}
