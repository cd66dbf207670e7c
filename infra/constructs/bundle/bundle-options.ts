import type { BuildOptions } from 'esbuild'

/** How this project's programs are put into few files for Node: esbuild's options, without entry and place. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  mainFields: ['module', 'main'],
  conditions: ['module'],
  // What CommonJS packages inside an ES module need in place of Node's own `require`.
  banner: {
    js: "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);",
  },
  logLevel: 'error',
} satisfies BuildOptions
