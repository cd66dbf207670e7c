import { Match, type Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { FYERS_ONLY, statementsOf, TWO_BROKERS, templateOf, variablesOf } from './template.ts'

const template = templateOf(FYERS_ONLY)

/** The logical id of the topic of the events. */
function eventsTopic(of: Template): string | undefined {
  const properties = { Properties: { TopicName: 'Tokenkeeper-tokens' } }
  return Object.keys(of.findResources('AWS::SNS::Topic', properties))[0]
}

describe('the topic of the events', () => {
  test('is told to the brokers’ functions, which may publish there and nothing more', () => {
    const both = templateOf(TWO_BROKERS)
    for (const name of ['Tokenkeeper-fyers', 'Tokenkeeper-upstox']) {
      expect(variablesOf(both, name)['TOKENKEEPER_EVENTS_TOPIC_ARN']).toEqual({ Ref: eventsTopic(both) })
      expect(statementsOf(both, name).filter(({ Sid }) => Sid === 'TellPrograms')).toEqual([
        expect.objectContaining({ Action: 'sns:Publish', Resource: { Ref: eventsTopic(both) } }),
      ])
    }
    // Neither the site nor the check of the alerts has anything to tell there.
    const others = ['Tokenkeeper-site', 'Tokenkeeper-subscriptions'].map((name) => statementsOf(both, name))
    expect(JSON.stringify(others)).not.toContain(eventsTopic(both))
  })

  test('takes nothing unencrypted, lets nobody in by its own policy, and is an output', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [{ Ref: eventsTopic(template) }],
      PolicyDocument: {
        Statement: [
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ],
      },
    })
    expect(template.findOutputs('TokenEventsTopicArn')['TokenEventsTopicArn']).toMatchObject({
      Value: { Ref: eventsTopic(template) },
    })
  })

  test('is not there when events are switched off, nor anything of it', () => {
    const without = templateOf({ ...FYERS_ONLY, events: false })
    expect(JSON.stringify(without.toJSON())).not.toMatch(
      /Tokenkeeper-tokens|EVENTS_TOPIC|TellPrograms|TokenEvents/,
    )
  })
})
