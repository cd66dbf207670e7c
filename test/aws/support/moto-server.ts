import { type Emulator, emulatorEnvironment, startEmulator } from './emulator.ts'
import { emulatorProgram } from './python-environment.ts'

/** moto: the stricter of the two about SSM, DynamoDB and SNS; it deploys and runs nothing. */
export function startMoto(): Promise<Emulator> {
  return startEmulator({
    program: emulatorProgram('moto_server'),
    args: (port) => ['-H', '127.0.0.1', '-p', String(port)],
    env: (port) => emulatorEnvironment(`http://127.0.0.1:${port}`),
    readyPath: '/moto-api/',
  })
}
