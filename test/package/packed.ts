import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { npm } from './npm.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** What `npm pack` made of this clone. */
export interface Packed {
  readonly tarball: string
  /** Of every file in it, its path and how many bytes it has. */
  readonly files: readonly { readonly path: string; readonly size: number }[]
  readonly packedBytes: number
}

declare module 'vitest' {
  interface ProvidedContext {
    packed: Packed
  }
}

/** Once before all tests, as vitest's global set-up: builds and packs. Ends with the tarball's folder removed. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-packed-'))
  const words = ['pack', '--json', '--silent', '--pack-destination', folder]
  const [{ filename, files, size }] = JSON.parse(await npm(words, ROOT))
  provide('packed', { tarball: join(folder, filename), files, packedBytes: size })
  return () => rmSync(folder, { recursive: true, force: true })
}
