// Runs a TypeScript entry or a tool of this project on the Node it brings along, after making sure that its
// dependencies are there. Plain JavaScript for Node 18 and later without dependencies: it runs before anything is
// installed.
//
//   node lib/cli/launch.mjs lib/cli/main.ts refresh
//   node lib/cli/launch.mjs vitest run
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const MODULES = join(ROOT, 'node_modules')
const TOOLS = join(MODULES, '.bin')
const BUNDLED_NODE = join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
/** Runs TypeScript as it is and has node:sqlite; see the devDependency "node". */
const NEEDED_MAJOR = 24
/**
 * The versions of the lockfile, which stays as it is. Not `npm ci`: that empties node_modules first, under the feet of
 * whatever else runs from it, and refuses a lockfile made where a platform's optional packages could not be seen.
 * Without warnings: the tools want a newer Node than the one that installs them, and get it.
 */
const NPM_INSTALL = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
/** A terminal sends these to all its foreground processes. */
const FROM_THE_KEYBOARD = ['SIGINT', 'SIGQUIT']

const [target, ...args] = process.argv.slice(2)
if (target === undefined) fail('usage: node lib/cli/launch.mjs <entry.ts or tool> [arguments]', 2)
const isEntry = /\.[cm]?[jt]s$/.test(target)

if (!isInstalled()) install()
const node = chooseNode()
run(node, [...flags(), isEntry ? resolve(ROOT, target) : tool(target), ...args])

/** Whether every package of package-lock.json stands in node_modules in its version, by npm's own record. */
function isInstalled() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'))
  const present = packagesOf(join(MODULES, '.package-lock.json'))
  if (wanted === undefined) return true
  return (
    present !== undefined &&
    Object.entries(wanted).every(
      ([path, { version, optional, dev, devOptional }]) =>
        path === '' ||
        optional ||
        devOptional ||
        // A server installed without development tools can still run what needs none.
        (dev && isEntry) ||
        present[path]?.version === version,
    )
  )
}

function packagesOf(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** With npm's own progress. It takes the npm that runs us, if one does. */
function install() {
  process.stderr.write('Installing dependencies with npm; this happens once and takes up to a minute.\n')
  const options = { cwd: ROOT, stdio: ['ignore', 2, 2] }
  const npm = process.env.npm_execpath
  const done =
    npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
      ? spawnSync(process.execPath, [npm, ...NPM_INSTALL], options)
      : spawnSync(`npm ${NPM_INSTALL.join(' ')}`, { ...options, shell: true })
  if (done.status === 0) return
  fail(
    'The dependencies could not be installed; see the lines above. Fix: check the network and run npm install',
    5,
  )
}

function chooseNode() {
  if (existsSync(BUNDLED_NODE)) return BUNDLED_NODE
  if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) return process.execPath
  return fail(
    `This project needs Node ${NEEDED_MAJOR} and usually brings it along, but node_modules/node is not there and this ` +
      `is ${process.version}. Fix: allow install scripts (npm config get ignore-scripts) and run npm install, or install ` +
      `Node ${NEEDED_MAJOR}`,
    5,
  )
}

function flags() {
  return isEntry ? ['--disable-warning=ExperimentalWarning'] : []
}

/** The script behind a tool's name, so that it runs on the chosen Node whatever its first line says. */
function tool(name) {
  for (const folder of packageFolders(name)) {
    const bin = manifestOf(folder)?.bin
    const script = typeof bin === 'string' ? bin : bin?.[name]
    if (script !== undefined) return join(folder, script)
  }
  return fail(`There is no tool "${name}" in this project. Fix: npm install`, 5)
}

/** Most tools are named like their packages; the others are found by looking through the development tools. */
function* packageFolders(name) {
  yield join(MODULES, name)
  const { dependencies, devDependencies } = manifestOf(ROOT) ?? {}
  for (const dependency of Object.keys({ ...devDependencies, ...dependencies }))
    yield join(MODULES, dependency)
}

function manifestOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Becomes the child as far as a parent can: same streams, same signals, same end. */
function run(command, commandArgs) {
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  // TypeScript that is read a second time starts in half the time.
  const cache = { NODE_COMPILE_CACHE: join(MODULES, '.cache', 'node') }
  const env = { ...cache, ...process.env, [pathName]: `${TOOLS}${delimiter}${process.env[pathName] ?? ''}` }
  const child = spawn(command, commandArgs, { stdio: 'inherit', env })
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // These reach the child by themselves.
      if (!FROM_THE_KEYBOARD.includes(signal) || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => fail(`${command} could not be started (${error.code}). Fix: npm install`, 5))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function fail(message, code) {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}
