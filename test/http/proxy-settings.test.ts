import { expect, test } from 'vitest'
import { proxySettings } from '../../lib/http/proxy-settings.ts'

const NONE = { httpsProxy: '', httpProxy: '', noProxy: '' }

test.each([
  [{}, {}],
  [{ HTTPS_PROXY: 'http://proxy.example:3128' }, { httpsProxy: 'http://proxy.example:3128' }],
  [{ https_proxy: 'https://proxy.example' }, { httpsProxy: 'https://proxy.example' }],
  // As for curl: without a scheme it is http, lower case is stronger, and empty is none.
  [{ HTTPS_PROXY: ' proxy.example:3128 ' }, { httpsProxy: 'http://proxy.example:3128' }],
  [{ HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower' }, { httpsProxy: 'http://lower' }],
  [{ HTTPS_PROXY: 'http://upper', https_proxy: '' }, {}],
  [{ HTTPS_PROXY: 'socks5://proxy.example:1080' }, { httpsProxy: 'socks5://proxy.example:1080' }],
  [{ HTTP_PROXY: 'http://proxy.example' }, { httpProxy: 'http://proxy.example' }],
  [{ NO_PROXY: 'a.example,.b.example' }, { noProxy: 'a.example,.b.example' }],
  [{ NO_PROXY: 'a.example', no_proxy: '*' }, { noProxy: '*' }],
])('%j are %j', (environment, expected) => {
  expect(proxySettings(environment)).toEqual({ ...NONE, ...expected })
})

test.each([
  ['HTTPS_PROXY', 'http://user:SECRET@[proxy'],
  ['https_proxy', 'ftp://user:SECRET@proxy'],
  ['HTTP_PROXY', 'user:SECRET@'],
])('%s that is no address is named without it', (variable, value) => {
  let error: unknown
  try {
    proxySettings({ [variable]: value })
  } catch (caught) {
    error = caught
  }
  expect(error).toMatchObject({
    code: 'configuration_invalid',
    message: `${variable} is no address of a proxy`,
    fix: expect.stringContaining(variable),
  })
  expect(String(error)).not.toContain('SECRET')
})
