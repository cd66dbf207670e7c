import { join } from 'node:path'
import type { Code } from 'aws-cdk-lib/aws-lambda'
import { buildSync, type Metafile } from 'esbuild'
import { BUNDLE_OPTIONS } from './bundle-options.ts'
import { codeMadeBy } from './made-code.ts'

const ROOT = join(import.meta.dirname, '../../..')

/**
 * Bundles a function of functions/ into `outputDir` as index.mjs and its chunks, and gives their sizes in bytes.
 *
 * Chunks are what a cold start needs: what only some runs use (HTTP, SNS, Lambda, a dynamic import each) stays an
 * unread file until then. NodejsFunction cannot make them, it insists on a single file, which takes Node a third
 * longer to read.
 */
export function bundle(entry: string, outputDir: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(bundleParts(entry, outputDir).outputs).map(([path, { bytes }]) => [
      path.split('/').at(-1) ?? path,
      bytes,
    ]),
  )
}

/** Does the same, and gives all that esbuild tells of it: what came in and what became of it. */
export function bundleParts(entry: string, outputDir: string): Metafile {
  return buildSync({
    ...BUNDLE_OPTIONS,
    absWorkingDir: ROOT,
    entryPoints: { index: join('functions', entry) },
    outdir: outputDir,
    outExtension: { '.js': '.mjs' },
    // Identifiers stay: error names and stack traces are read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
  }).metafile
}

/** The code of a function, bundled on this machine: the dependencies of the lockfile, AWS' SDK among them. */
export function bundledCode(entry: string): Code {
  return codeMadeBy(join(ROOT, 'functions'), entry, (outputDir) => bundle(entry, outputDir))
}
