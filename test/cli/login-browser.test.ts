import { describe, expect, test } from 'vitest'
import { mayOpenBrowser } from '../../lib/cli/login/browser.ts'

const person = { interactive: true }
const desktop = { DISPLAY: ':0' }

describe('a browser is opened', () => {
  test.each([
    ['on a desktop', person, desktop, 'linux'],
    ['on Wayland', person, { WAYLAND_DISPLAY: 'wayland-0' }, 'linux'],
    ['on macOS', person, {}, 'darwin'],
    ['on Windows', person, {}, 'win32'],
    ['from the Linux of Windows', person, { WSL_DISTRO_NAME: 'Debian' }, 'linux'],
  ] as const)('%s', (_, terminal, env, platform) => {
    expect(mayOpenBrowser(terminal, env, platform)).toBe(true)
  })
})

describe('no browser is opened', () => {
  test.each([
    [
      'over SSH, where the person is elsewhere',
      person,
      { ...desktop, SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' },
      'linux',
    ],
    ['over SSH to a Mac', person, { SSH_TTY: '/dev/ttys001' }, 'darwin'],
    ['without a display', person, {}, 'linux'],
    ['without a display worth the name', person, { DISPLAY: '' }, 'linux'],
    ['for a program', { interactive: false }, desktop, 'linux'],
  ] as const)('%s', (_, terminal, env, platform) => {
    expect(mayOpenBrowser(terminal, env, platform)).toBe(false)
  })
})
