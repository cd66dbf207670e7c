import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { buildSync } from 'esbuild'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Builds what programs import as `tokenkeeper/client` into `outputDir`: index.js with its chunks, and types/.
 * Node strips no types below node_modules, so an installed package needs plain JavaScript. Only our own code
 * is bundled: packages are dependencies of this one, and what a source needs at its first use (AWS, SQLite)
 * is a chunk that is loaded only then. Returns the sizes of the JavaScript files in bytes, by name.
 */
export function buildClient(outputDir: string): Readonly<Record<string, number>> {
  rmSync(outputDir, { recursive: true, force: true })
  const { metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: { index: 'lib/client/index.ts' },
    outdir: outputDir,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node22',
    chunkNames: 'chunks/[name]-[hash]',
    metafile: true,
    logLevel: 'error',
  })
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const project = join(import.meta.dirname, 'tsconfig.build.json')
  execFileSync(process.execPath, [compiler, '--project', project, '--outDir', join(outputDir, 'types')], {
    stdio: 'inherit',
  })
  return Object.fromEntries(
    Object.entries(metafile.outputs).map(([path, { bytes }]) => [path.split('/').at(-1) ?? path, bytes]),
  )
}

if (import.meta.main) buildClient(join(ROOT, 'dist/client'))
