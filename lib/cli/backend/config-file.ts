import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Config, parseConfig } from '../../config.ts'
import { withoutTilde } from '../../local/files.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { type DefaultPlaces, defaultPlaces } from './installation.ts'
import { readTextFile } from './text-file.ts'

/**
 * The configuration in a cdk.json, its paths made absolute from there. Throws ConfigurationError for a file that is
 * missing, no JSON, or wrong.
 */
export function readConfigFile(
  path: string | undefined,
  { configs }: Pick<DefaultPlaces, 'configs'> = defaultPlaces(),
): Config {
  const file = path === undefined ? (configs.find(existsSync) ?? configs[0] ?? '') : resolve(path)
  const shown = path ?? 'cdk.json'
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
