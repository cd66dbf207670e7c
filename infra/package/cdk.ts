import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** Functions are bundled when the package is built: who installs it has neither their sources nor esbuild. */
const PREBUNDLED: Plugin = {
  name: 'prebundled',
  setup({ onResolve }) {
    onResolve({ filter: /\/bundle\/bundle\.ts$/ }, ({ resolveDir, path }) => ({
      path: join(resolveDir, path.replace('bundle.ts', 'prebundled.ts')),
    }))
    onResolve({ filter: /^\.\/bundle\.ts$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'prebundled.ts'),
    }))
  },
}

/**
 * Compiles the stack into `outdir` as index.cjs. CommonJS, as many CDK apps are: it can be required and imported, and
 * needed-peers.ts comes before what it asks for.
 */
export async function buildCdk(root: string, outdir: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: { index: 'infra/package/index.ts' },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    packages: 'external',
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.dirname': '__dirname' },
    plugins: [PREBUNDLED],
    logLevel: 'error',
  })
}
