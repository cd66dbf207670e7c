// The first import of main.ts, for whoever starts that without the launcher. Node before 22.18 cannot read TypeScript
// and fails before this; 22.18 to 23 can, and knows no import.meta.main or has node:sqlite only on trial.
import { EXIT } from './terminal/exit-codes.ts'

const NEEDED_MAJOR = 24

if (Number(process.versions.node.split('.')[0]) < NEEDED_MAJOR) {
  process.stderr.write(
    `This project needs Node ${NEEDED_MAJOR}, and this is ${process.versions.node}. ` +
      'Fix: call it by npx tokenkeeper, or npm start, which bring the right one\n',
  )
  process.exit(EXIT.configuration)
}
