import { maskSecrets } from '../model/secrets/secret.ts'
import type { Fields, Telemetry } from '../ports/telemetry.ts'

const LEVELS = ['info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/**
 * Telemetry as lines of text, from the severity `least` on. Counters are dropped, since nothing collects
 * metrics here.
 */
export function localTelemetry(write: (line: string) => void, least: Level): Telemetry {
  const log =
    (level: Level) =>
    (message: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      const details = Object.entries(fields).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${typeof value === 'string' ? JSON.stringify(value) : value}`],
      )
      write(maskSecrets([level.padEnd(5), message, ...details].join(' ')))
    }
  return { info: log('info'), warn: log('warn'), error: log('error'), count: () => undefined }
}
