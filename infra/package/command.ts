import { build } from 'esbuild'

/**
 * Compiles the command into `outdir` as main.js and its chunks: what a command loads when it is called, such as the
 * simulators, is a file that is not read before. Our own code only: packages are dependencies of this one.
 */
export async function buildCommand(root: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['lib/cli/main.ts'],
    outdir,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    chunkNames: 'chunks/[name]-[hash]',
    // lib/cli/tokenkeeper.mjs imports it, and nothing else does.
    define: { 'import.meta.main': 'true' },
    logLevel: 'error',
  })
}
