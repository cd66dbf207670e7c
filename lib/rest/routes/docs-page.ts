import { html } from 'hono/html'
import { SCOPES } from '../../model/api-key.ts'
import type { Html, Page } from '../../site/pages/page.ts'
import { type ApiDocument, SCOPE_WORDS } from './document.ts'
import { KEY_SCHEME } from './route.ts'

type Schema = { readonly [member: string]: unknown }
type Operation = NonNullable<NonNullable<ApiDocument['paths']>[string]['get']>
type Content = Readonly<Record<string, { readonly schema?: unknown }>> | undefined

const METHODS = ['get', 'post'] as const

/** The document as a page for people, without scripts, which loads nothing from elsewhere. */
export function docsPage(document: ApiDocument): Page {
  const tags = document.tags ?? []
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) =>
      item[method] ? [{ path, method, operation: item[method] as Operation }] : [],
    ),
  )
  const body = html`<h1>${document.info.title} ${document.info.version}: REST</h1>
<p>${document.info.description}</p>
<p>A program presents an API key of tokenkeeper keys create: <code>Authorization: Bearer tk_…</code>. Of its
scopes none implies another:</p>
<dl>
${SCOPES.map((scope) => html`<dt><code>${scope}</code></dt><dd>${SCOPE_WORDS[scope]}</dd>`)}
</dl>
<p>For programs: <a href="/openapi.json">openapi.json</a></p>
${tags.map(({ name, description }) => {
  const own = operations.filter(({ operation }) => operation.tags?.includes(name))
  return html`<h2>${name}</h2>
<p class="soft">${description}</p>
${own.map(({ path, method, operation }) => section(path, method, operation))}`
})}
<h2>Shapes</h2>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) => html`<section class="card" id="${name}">
<h3>${name}</h3>
${fields(schema as Schema)}
</section>`,
)}`
  return { title: 'REST', body }
}

function section(path: string, method: string, operation: Operation): Html {
  const needs = (operation.security ?? []).flatMap((one) => one[KEY_SCHEME] ?? [])
  const open = operation.security?.length === 0
  const scope = open ? 'no key' : needs.length > 0 ? `a key with ${needs.join(', ')}` : 'any key'
  const request = (operation.requestBody as { content?: Content } | undefined)?.content
  return html`<section class="card" id="${operation.operationId}">
<h3><code>${method.toUpperCase()} ${path}</code></h3>
<p>${operation.summary}.</p>
${operation.description && html`<p>${operation.description}</p>`}
<dl>
<dt>Needs</dt><dd>${scope}</dd>
${request && html`<dt>Body</dt><dd>${shapesIn(request)}</dd>`}
${Object.entries(operation.responses ?? {}).map(([status, reply]) => {
  const { description, content } = reply as { description: string; content?: Content }
  return html`<dt>${status}</dt><dd>${description}${content && html` (${shapesIn(content)})`}</dd>`
})}
</dl>
</section>`
}

function shapesIn(content: NonNullable<Content>): Html {
  const [first] = Object.values(content)
  return shape(first?.schema as Schema | undefined)
}

function fields({ description, properties = {}, required = [] }: Schema): Html {
  const entries = Object.entries(properties as Record<string, Schema>)
  return html`${description && html`<p>${description}</p>`}
<dl>
${entries.map(
  ([name, schema]) =>
    html`<dt><code>${name}</code></dt><dd>${shape(schema)}${
      (required as readonly string[]).includes(name) ? '' : ', optional'
    }${schema['description'] && html`<br><small>${schema['description']}</small>`}</dd>`,
)}
</dl>`
}

/** A schema in a few words, with a link where the schema has a name. */
function shape(schema: Schema | undefined): Html {
  if (!schema) return html`anything`
  const { $ref, type, items, anyOf, format } = schema as {
    $ref?: string
    type?: string | readonly string[]
    items?: Schema
    anyOf?: readonly Schema[]
    format?: string
    enum?: readonly unknown[]
    const?: unknown
  }
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1)
    return html`<a href="#${name}">${name}</a>`
  }
  if (anyOf) return html`${anyOf.map((one, index) => html`${index > 0 ? ' or ' : ''}${shape(one)}`)}`
  if (items) return html`list of ${shape(items)}`
  const choices = schema['enum'] as readonly unknown[] | undefined
  if (choices) return html`${choices.map((one) => (one === null ? 'null' : `"${one}"`)).join(', ')}`
  const words = (Array.isArray(type) ? type : [type ?? 'anything']).join(' or ')
  return html`${format ? `${words} (${format})` : words}`
}
