import { readFileSync } from 'node:fs'
import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { FEATURE_FLAGS, FYERS_ONLY, resourcesOf, stackOf, TWO_BROKERS, templateOf } from './template.ts'

describe('cdk.json', () => {
  test('has every feature flag as a new project with this aws-cdk-lib has it', () => {
    const recommended = new URL(
      '../../node_modules/aws-cdk-lib/recommended-feature-flags.json',
      import.meta.url,
    )
    expect(FEATURE_FLAGS).toEqual(JSON.parse(readFileSync(recommended, 'utf8')))
  })
})

describe('deletionProtection', () => {
  test('is on by default, for the stack and for the table', () => {
    expect(stackOf(FYERS_ONLY).terminationProtection).toBe(true)
    templateOf(FYERS_ONLY).hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true })
  })

  test('can be switched off', () => {
    const off = { ...FYERS_ONLY, deletionProtection: false }
    expect(stackOf(off).terminationProtection).toBe(false)
    templateOf(off).hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false })
  })
})

describe('tags', () => {
  test('are on the stack and on every resource that can have them', () => {
    const tagged = { ...TWO_BROKERS, tags: { team: 'trading' }, customerManagedKey: true }
    expect(stackOf(tagged).tags.tagValues()).toEqual({ team: 'trading' })
    const template = templateOf(tagged)
    for (const type of [
      ...['AWS::DynamoDB::Table', 'AWS::SNS::Topic', 'AWS::SQS::Queue', 'AWS::KMS::Key', 'AWS::IAM::Role'],
      ...['AWS::Lambda::Function', 'AWS::Logs::LogGroup', 'AWS::CloudWatch::Alarm'],
      'AWS::Scheduler::ScheduleGroup',
    ]) {
      const found = resourcesOf(template, type)
      expect(found.length).toBeGreaterThan(0)
      for (const { Properties } of found)
        expect({ type, tags: Properties['Tags'] }).toEqual({
          type,
          tags: [{ Key: 'team', Value: 'trading' }],
        })
    }
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { Tags: { team: 'trading' } })
  })

  test('that AWS keeps to itself are refused where they are written', () => {
    expect(() => templateOf({ ...FYERS_ONLY, tags: { 'aws:team': 'x' } })).toThrow(
      /tags\.aws:team: the name of a tag has/,
    )
  })
})

describe('site.reservedConcurrency', () => {
  const site = { FunctionName: 'Tokenkeeper-site' }

  test('bounds its two functions each, and no other', () => {
    const bounded = templateOf({ ...TWO_BROKERS, site: { reservedConcurrency: 5 } })
    bounded.hasResourceProperties('AWS::Lambda::Function', { ...site, ReservedConcurrentExecutions: 5 })
    const reserved = resourcesOf(bounded, 'AWS::Lambda::Function').filter(
      ({ Properties }) => 'ReservedConcurrentExecutions' in Properties,
    )
    const names = reserved.map(({ Properties }) => Properties['FunctionName'])
    expect(names.toSorted()).toEqual(['Tokenkeeper-rest', 'Tokenkeeper-site'])
  })

  test('is none by default: a new AWS account has none to reserve', () => {
    templateOf(TWO_BROKERS).hasResourceProperties('AWS::Lambda::Function', {
      ...site,
      ReservedConcurrentExecutions: Match.absent(),
    })
  })
})
