import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { soleService } from '../../lib/local/sole-service.ts'
import { thrownAtOnce } from '../support/thrown.ts'

const MODULE = new URL('../../lib/local/sole-service.ts', import.meta.url).href
const URL_OF_OTHER = 'http://127.0.0.1:8799'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tokenkeeper-sole-'))
})
afterEach(() => rmSync(home, { recursive: true }))

/** Another process that serves the home until it is killed. */
async function other() {
  const script = `
    const { soleService } = await import(${JSON.stringify(MODULE)})
    soleService(${JSON.stringify(home)}).servesAt(${JSON.stringify(URL_OF_OTHER)})
    process.stdout.write('serves')
    setInterval(() => {}, 1e6)`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

describe('the one service of a home', () => {
  test('keeps a second one out, which is told process and address, until it is killed', async () => {
    const child = await other()
    expect(thrownAtOnce(() => soleService(home))).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining(`process ${child.pid}, at ${URL_OF_OTHER}`),
      fix: expect.stringContaining(`kill ${child.pid}`),
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const sole = soleService(home)
    sole.servesAt('http://127.0.0.1:1')
    sole.release()
  })

  test('that has just begun has no address yet, nor that of one that was killed before', async () => {
    const child = await other()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const sole = soleService(home)
    expect(thrownAtOnce(() => soleService(home))).toMatchObject({
      message: expect.stringContaining('a process that is just starting'),
    })
    sole.release()
  })

  test('leaves nothing but its lock, which its owner alone may read', () => {
    const sole = soleService(home)
    sole.servesAt('http://127.0.0.1:1')
    for (const name of readdirSync(home)) expect(statSync(join(home, name)).mode & 0o077, name).toBe(0)
    sole.release()
    expect(readdirSync(home)).toEqual(['serve.lock'])
  })

  test('is told when its folder is gone', () => {
    expect(thrownAtOnce(() => soleService(join(home, 'nowhere')))).toMatchObject({
      code: 'configuration_invalid',
      message: expect.stringContaining(`the folder ${join(home, 'nowhere')} is not there`),
    })
  })
})
