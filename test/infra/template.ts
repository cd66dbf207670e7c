import { readFileSync } from 'node:fs'
import { App, type Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { TokenKeeperStack } from '../../infra/token-keeper-stack.ts'
import { parseConfig } from '../../lib/config.ts'

/** What `cdk.json` says to CDK itself: whatever is deployed from this clone is made with it. */
export const FEATURE_FLAGS: Readonly<Record<string, unknown>> = Object.fromEntries(
  Object.entries(cdkJson().context).filter(([key]) => key !== 'tokenkeeper'),
)

function cdkJson(): { readonly context: Readonly<Record<string, unknown>> } {
  return JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'))
}

/** One broker and nothing else: one function, one role, one log. */
export const FYERS_ONLY = { prefix: '/stock-pipeline', site: { enabled: false }, brokers: { fyers: {} } }
/** Two brokers and the login site. */
export const TWO_BROKERS = { prefix: '/stock-pipeline', brokers: { fyers: {}, upstox: {} } }

/** The stack of a `tokenkeeper` context, without bundling the functions. */
export function stackOf(context: Record<string, unknown>): Stack {
  const app = new App({ context: { ...FEATURE_FLAGS, 'aws:cdk:bundling-stacks': [] } })
  const config = parseConfig(context)
  return new TokenKeeperStack(app, config.stackName, { config })
}

export function templateOf(context: Record<string, unknown>): Template {
  return Template.fromStack(stackOf(context))
}

export interface Statement {
  readonly Sid?: string
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource?: unknown
  readonly Condition?: unknown
}

export interface Resource {
  readonly Type: string
  readonly Properties: Record<string, unknown>
  readonly DeletionPolicy?: string
}

export function resourcesOf(template: Template, type: string): readonly Resource[] {
  return Object.values(template.findResources(type)) as Resource[]
}

/** What the roles of a template may do: every inline policy statement, and those of policies of their own. */
export function roleStatements(template: Template): readonly Statement[] {
  type Policy = { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }
  const inline = resourcesOf(template, 'AWS::IAM::Role').flatMap(
    ({ Properties }) => (Properties['Policies'] ?? []) as Policy[],
  )
  const separate = resourcesOf(template, 'AWS::IAM::Policy').map(
    ({ Properties }) => Properties as unknown as Policy,
  )
  return [...inline, ...separate].flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

/** The properties of the function of this name. */
function functionNamed(template: Template, functionName: string): Resource['Properties'] {
  const found = resourcesOf(template, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties['FunctionName'] === functionName,
  )
  if (!found) throw new Error(`the template has no function ${functionName}`)
  return found.Properties
}

/** What the role of the function of this name may do. */
export function statementsOf(template: Template, functionName: string): readonly Statement[] {
  const { 'Fn::GetAtt': role } = functionNamed(template, functionName)['Role'] as { 'Fn::GetAtt': string[] }
  const { Properties } = template.findResources('AWS::IAM::Role')[String(role[0])] as Resource
  type Policy = { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }
  return (Properties['Policies'] as Policy[]).flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

/** The environment of the function of this name. */
export function variablesOf(template: Template, functionName: string): Readonly<Record<string, unknown>> {
  const { Variables } = functionNamed(template, functionName)['Environment'] as {
    Variables: Record<string, unknown>
  }
  return Variables
}

export function actionsOf({ Action }: Statement): readonly string[] {
  return typeof Action === 'string' ? [Action] : Action
}

/** An ARN as text, with the pseudo parameters by their names. */
export function arnText(value: unknown): string {
  if (typeof value === 'string') return value
  const { 'Fn::Join': join, Ref: ref } = value as { 'Fn::Join'?: [string, unknown[]]; Ref?: string }
  if (join) return join[1].map(arnText).join(join[0])
  return ref !== undefined ? `<${ref}>` : JSON.stringify(value)
}
