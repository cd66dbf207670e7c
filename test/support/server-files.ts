import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The clone. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** Where the unit and the image have the clone. */
const INSTALLED = '/opt/tokenkeeper'

/** A file of infra/server. */
export function serverFile(name: string): string {
  return readFileSync(join(ROOT, 'infra/server', name), 'utf8')
}

/** A text of infra/server with the places of this clone in those of a server. */
export function here(
  text: string,
  { home, config }: { readonly home: string; readonly config: string },
): string {
  return text
    .replaceAll(INSTALLED, ROOT)
    .replaceAll('/var/lib/tokenkeeper', home)
    .replaceAll('/etc/tokenkeeper/cdk.json', config)
}

/** What the unit starts. */
export function execStart(): string {
  return /^ExecStart=(.+)$/m.exec(serverFile('tokenkeeper.service'))?.[1] ?? ''
}

/** The last list of words an instruction of the Dockerfile has. */
export function wordsOf(instruction: 'ENTRYPOINT' | 'CMD' | 'HEALTHCHECK'): readonly string[] {
  const line = new RegExp(`^${instruction} .*?(\\[.+\\])$`, 'm').exec(serverFile('Dockerfile'))?.[1]
  return JSON.parse(line ?? '[]')
}
