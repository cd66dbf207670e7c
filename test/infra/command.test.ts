import { expect, test } from 'vitest'
import { resourcesOf, TWO_BROKERS, templateOf, variablesOf } from './template.ts'

const FUNCTIONS = ['fyers', 'upstox', 'site', 'rest', 'subscriptions', 'alarms'].map(
  (name) => `Tokenkeeper-${name}`,
)

test.each([
  ['local', undefined, 'npx tokenkeeper --backend aws'],
  ['aws', 'npx tokenkeeper', 'npx tokenkeeper'],
])(
  'where cdk.json has the backend %s, functions and alarms call the command as it runs there',
  (backend, variable, call) => {
    const template = templateOf({ ...TWO_BROKERS, backend })
    const names = resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties }) =>
      String(Properties['FunctionName']),
    )
    expect(names.toSorted()).toEqual(FUNCTIONS.toSorted())
    for (const name of names) expect(variablesOf(template, name)['TOKENKEEPER_COMMAND']).toBe(variable)
    const advice = resourcesOf(template, 'AWS::CloudWatch::Alarm')
      .map(({ Properties }) => String(Properties['AlarmDescription']))
      .filter((text) => text.includes('tokenkeeper'))
    expect(advice.length).toBeGreaterThan(3)
    for (const text of advice) expect(text).toMatch(new RegExp(`; run ${call} (status|alerts list)$`))
  },
)
