import { afterAll, beforeAll } from 'vitest'
import { type Emulator, useEnvironment } from './emulator.ts'
import { startMoto } from './moto-server.ts'

/** Runs moto for one test file and points this process at it. */
export function withMoto(): void {
  let moto: Emulator
  let restore: () => void

  beforeAll(async () => {
    moto = await startMoto()
    restore = useEnvironment(moto.endpoint)
  })

  afterAll(async () => {
    restore?.()
    await moto?.stop()
  })
}
