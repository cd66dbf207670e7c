import { sameDay } from '../../support/same-day.ts'
import { type Emulator, emulatorEnvironment, startEmulator } from './emulator.ts'
import { emulatorProgram } from './python-environment.ts'

/** ministack: takes a real `cdk bootstrap` and `cdk deploy`, and runs the deployed functions on this Node. */
export function startMinistack(): Promise<Emulator> {
  return startEmulator({
    program: emulatorProgram('ministack'),
    args: () => [],
    env: (port) => ({
      ...emulatorEnvironment(`http://127.0.0.1:${port}`),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      // The deployed functions live on the day of the tests.
      ...sameDay(),
    }),
    readyPath: '/_ministack/ready',
  })
}
