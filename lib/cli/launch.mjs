// Runs a TypeScript entry or a tool of this project on the Node it brings along, after making sure that its
// dependencies are there. Plain JavaScript for Node 18 and later without dependencies: it runs before anything is
// installed.
//
//   node lib/cli/launch.mjs lib/cli/main.ts refresh
//   node lib/cli/launch.mjs vitest run
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const MODULES = join(ROOT, 'node_modules')
const TOOLS = join(MODULES, '.bin')
/** Runs TypeScript as it is and has node:sqlite; see node/package.json beside this, one of whose packages fits. */
const NEEDED_MAJOR = 24
const OURS_IS_TOO_OLD = Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR
const [PLATFORM, EXECUTABLE] = process.platform === 'win32' ? ['win', 'node.exe'] : [process.platform, 'node']
const BUNDLED_NODE = `node_modules/node-${PLATFORM}-${process.arch}`
/** Without warnings: the tools want a newer Node than the one that installs them, and get it. */
const QUIETLY = ['--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
/**
 * Only what package-lock.json names is installed, and only with the hash named there. `npm ci` sees to the first, but
 * empties node_modules before it begins, under the feet of whatever else runs from it, and for good if the network
 * fails. So it only judges whether the lockfile is whole, and where it is, `npm install` has nothing left to choose.
 */
const NPM_JUDGE = ['ci', '--dry-run', ...QUIETLY]
const NPM_INSTALL = ['install', '--no-save', ...QUIETLY]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
/** A terminal sends these to all its foreground processes. */
const FROM_THE_KEYBOARD = ['SIGINT', 'SIGQUIT']

// A launcher without anybody to read its words still launches.
process.stderr.on('error', () => undefined)

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
      ([path, entry]) =>
        path === '' ||
        present[path]?.version === entry.version ||
        (present[path] === undefined && mayBeAbsent(path, entry)),
    )
  )
}

/** What belongs to other platforms; and a server installed without development tools can still run what needs none. */
function mayBeAbsent(path, { optional, dev, devOptional }) {
  if (path === BUNDLED_NODE) return !OURS_IS_TOO_OLD
  return optional || devOptional || (dev && isEntry)
}

function packagesOf(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** With npm's own progress. */
function install() {
  process.stderr.write('Installing dependencies with npm; this happens once and takes up to a minute.\n')
  if (!lockfileIsWhole()) {
    fail(
      'package-lock.json does not fit package.json, see the lines above, and nothing but what it names is installed. ' +
        'Fix: git checkout package.json package-lock.json; or, if package.json was changed on purpose, run npm install ' +
        'and commit both',
      5,
    )
  }
  if (npm(NPM_INSTALL, { cwd: ROOT, stdio: ['ignore', 2, 2] }) !== 0) {
    fail(
      'The dependencies could not be installed; see the lines above. Fix: check the network and run npm ci. EINTEGRITY ' +
        'means that the registry gave another package than the one package-lock.json was made with: find out why',
      5,
    )
  }
}

/** Whether npm finds in it all that package.json asks for. In a folder apart: npm 9 empties node_modules all the same. */
function lockfileIsWhole() {
  const cwd = mkdtempSync(join(tmpdir(), 'tokenkeeper-lockfile-'))
  try {
    const workspaces = manifestOf(ROOT)?.workspaces ?? []
    for (const folder of workspaces) mkdirSync(join(cwd, folder), { recursive: true })
    const manifests = ['', ...workspaces].map((folder) => join(folder, 'package.json'))
    for (const file of [...manifests, 'package-lock.json', '.npmrc'])
      if (existsSync(join(ROOT, file))) copyFileSync(join(ROOT, file), join(cwd, file))
    return npm(NPM_JUDGE, { cwd, stdio: ['ignore', 'ignore', 2] }) === 0
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

/** The npm that runs us, if one does. */
function npm(npmArgs, options) {
  const script = process.env.npm_execpath
  return script !== undefined && /npm-cli\.[cm]?js$/.test(script)
    ? spawnSync(process.execPath, [script, ...npmArgs], options).status
    : spawnSync(`npm ${npmArgs.join(' ')}`, { ...options, shell: true }).status
}

function chooseNode() {
  const bundled = join(ROOT, BUNDLED_NODE, 'bin', EXECUTABLE)
  if (existsSync(bundled)) return bundled
  if (!OURS_IS_TOO_OLD) return process.execPath
  return fail(
    `This project needs Node ${NEEDED_MAJOR}. It brings one along for Linux (x64, arm64) and Windows (x64), but ` +
      `${BUNDLED_NODE} is not there and this is ${process.version}. Fix: on those run npm ci --include=optional, ` +
      `elsewhere install Node ${NEEDED_MAJOR}`,
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
  // Up to version 10 npm installs the Node without linking it among the tools, and cdk starts the app by `node`.
  const first = isEntry ? [TOOLS] : [TOOLS, dirname(command)]
  const env = {
    ...cache,
    ...process.env,
    [pathName]: [...first, process.env[pathName] ?? ''].join(delimiter),
  }
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
