import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { BROKER_IDS } from '../../brokers/index.ts'
import { type Config, parseConfig } from '../../config.ts'
import { withoutTilde } from '../../local/files.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { type DefaultPlaces, defaultPlaces } from './installation.ts'
import { readTextFile } from './text-file.ts'

/** Of an installed package without one: every broker, so that `setup` takes any. */
const EVERY_BROKER = { brokers: Object.fromEntries(BROKER_IDS.map((id) => [id, {}])) }

/**
 * The configuration in a cdk.json, its paths made absolute from there. Throws ConfigurationError for a file that is
 * missing, no JSON, or wrong.
 */
export function readConfigFile(
  path: string | undefined,
  places: Pick<DefaultPlaces, 'config' | 'mayLackConfig'> = defaultPlaces(),
): Config {
  const file = resolve(path ?? places.config)
  if (path === undefined && places.mayLackConfig && !existsSync(file)) return parseConfig(EVERY_BROKER)
  const shown = path ?? (places.mayLackConfig ? file : 'cdk.json')
  const config = parseConfig(contextOf(read(file, shown), shown), shown)
  const files = config.mirrors.files.map((mirror) => ({
    ...mirror,
    path: resolve(dirname(file), withoutTilde(mirror.path)),
  }))
  return { ...config, mirrors: { ...config.mirrors, files } }
}

function read(file: string, shown: string): string {
  try {
    return readTextFile(file, shown)
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError(`the configuration file ${shown} cannot be read`, {
      cause,
      fix: 'check the path given with --config; without it the cdk.json of this project is used',
    })
  }
}

function contextOf(text: string, shown: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    // The parser's message quotes the file, which may hold anything.
    throw new ConfigurationError(`the configuration file ${shown} is no JSON`, {
      cause,
      fix: 'look for a missing comma, quote or bracket',
    })
  }
  const root = objectOrNothing(parsed, `the configuration file ${shown}`)
  const context = objectOrNothing(root?.['context'], `"context" in ${shown}`)
  return context?.['tokenkeeper']
}

/** Throws ConfigurationError for a list or a value where an object belongs: its settings would count for nothing, unsaid. */
function objectOrNothing(value: unknown, what: string): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new ConfigurationError(
    `${what} is no JSON object but ${Array.isArray(value) ? 'a list' : 'a value'}`,
    {
      fix: 'write { "context": { "tokenkeeper": { … } } }',
    },
  )
}
