import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { aliveInGroup } from './support/deployment-processes.ts'
import { assertLoopback, type Emulator, emulatorEnvironment, useEnvironment } from './support/emulator.ts'
import { startMinistack } from './support/ministack.ts'
import { startMoto } from './support/moto-server.ts'

describe.each([
  ['moto', startMoto],
  ['ministack', startMinistack],
])('%s', (_, start: () => Promise<Emulator>) => {
  test('listens on loopback, and leaves nothing behind when it is stopped', async () => {
    const emulator = await start()
    expect(new URL(emulator.endpoint).hostname).toBe('127.0.0.1')
    expect((await fetch(emulator.endpoint)).status).toBeLessThan(500)
    expect(aliveInGroup(emulator.processGroup)).toBeGreaterThan(0)
    await emulator.stop()
    await expect(fetch(emulator.endpoint)).rejects.toThrow('fetch failed')
    // Killed is not yet gone: the kernel takes its time.
    await expect.poll(() => aliveInGroup(emulator.processGroup)).toBe(0)
    expect(existsSync(emulator.folder)).toBe(false)
  })
})

test('an emulator does not outlive a test process that is killed', async () => {
  const script = `
    const { startMoto } = await import('./test/aws/support/moto-server.ts')
    const { endpoint, folder } = await startMoto()
    process.stdout.write(JSON.stringify({ endpoint, folder }))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = (await once(child.stdout, 'data')) as [Buffer]
  const { endpoint, folder } = JSON.parse(output.toString()) as { endpoint: string; folder: string }
  expect((await fetch(`${endpoint}/moto-api/`)).ok).toBe(true)
  child.kill('SIGKILL')
  await expect.poll(() => fetch(`${endpoint}/moto-api/`).catch(() => 'gone'), { timeout: 5_000 }).toBe('gone')
  await expect.poll(() => existsSync(folder), { timeout: 5_000 }).toBe(false)
})

describe('emulator tests', () => {
  test.each([
    'https://ssm.ap-south-1.amazonaws.com',
    'http://127.0.0.1.example.com',
    'http://192.0.2.1:4566',
  ])('refuse to run against %s', (endpoint) => {
    expect(() => emulatorEnvironment(endpoint)).toThrow('refuse to run')
    expect(() => useEnvironment(endpoint)).toThrow('refuse to run')
  })

  test('take away every AWS variable of the shell, and put it back', () => {
    process.env['AWS_PROFILE'] = 'production'
    process.env['AWS_ENDPOINT_URL_SSM'] = 'https://ssm.ap-south-1.amazonaws.com'
    const restore = useEnvironment('http://127.0.0.1:4566')
    const during = { ...process.env }
    restore()
    expect(during).not.toHaveProperty('AWS_PROFILE')
    expect(during).not.toHaveProperty('AWS_ENDPOINT_URL_SSM')
    expect(during).toMatchObject({ AWS_ACCESS_KEY_ID: 'test', AWS_EC2_METADATA_DISABLED: 'true' })
    expect(process.env).toMatchObject({ AWS_PROFILE: 'production' })
    expect(process.env).not.toHaveProperty('AWS_ENDPOINT_URL')
    delete process.env['AWS_PROFILE']
    delete process.env['AWS_ENDPOINT_URL_SSM']
  })

  test('take loopback by any of its names', () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) assertLoopback(`http://${host}:4566`)
  })
})
