import type { WireOperation, WireTool, WireWorkflow } from '@tidegate/protocol'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withClient } from '../session.ts'
import type { Shell } from '../shell.ts'
import { renderPairs, renderTable } from '../terminal/table.ts'
import { renderDuration } from '../terminal/time.ts'

/** Lists what can be done at all. */
export function listTools(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ tools: await client.tools() }, ({ tools }) => {
      const operations = tools.flatMap((tool) => tool.operations)
      if (operations.length === 0) return 'No tools are declared. Write one in tools/ and name it in tidegate.yaml.'
      const rows = operations.map((each) => [each.id, each.mutability, each.risk, each.dataClass, each.reversibility, each.title])
      return renderTable(['operation', 'does', 'risk', 'data', 'way back', 'title'], rows, shell.columns)
    })
    return EXIT.ok
  })
}

/** Shows a tool, or one of its operations. */
export function showTool(shell: Shell, id: string): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await client.tool(id), (tool) => renderTool(shell, tool))
    return EXIT.ok
  })
}

/** Lists the workflows in force. */
export function listWorkflows(shell: Shell): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result({ workflows: await client.workflows() }, ({ workflows }) => {
      if (workflows.length === 0) return 'No workflows are declared. Write one in workflows/ and name it in tidegate.yaml.'
      return renderTable(
        ['workflow', 'stage', 'environment', 'operations', 'title'],
        workflows.map((each) => [each.name, String(each.stage), each.environment, String(each.operations.length), each.title]),
      )
    })
    return EXIT.ok
  })
}

/** Shows a workflow: what it may do, within which limits, and how one sees that it succeeded. */
export function showWorkflow(shell: Shell, name: string): Promise<ExitCode> {
  return withClient(shell, 'look', async (client) => {
    shell.result(await client.workflow(name), (workflow) => renderWorkflow(shell, workflow))
    return EXIT.ok
  })
}

function renderTool({ style }: Shell, { operations }: WireTool): string {
  return operations
    .map(
      (operation) =>
        `${style('strong', operation.id)}  ${operation.title}\n${renderPairs(factsOf(operation)).replaceAll(/^/gm, '  ')}`,
    )
    .join('\n\n')
}

function factsOf(operation: WireOperation): readonly (readonly [string, string])[] {
  const abilities = [
    ...(operation.canPreview ? ['preview'] : []),
    ...(operation.canReconcile ? ['look for a lost effect'] : []),
    ...(operation.canVerify ? ['verify'] : []),
    ...(operation.canCompensate ? ['compensate'] : []),
  ]
  return [
    [
      'Does',
      `${operation.mutability}, ${operation.blastRadius}, at most ${operation.maxRecords} ${operation.maxRecords === 1 ? 'record' : 'records'} (${operation.records.join(', ') || '-'})`,
    ],
    ['Risk', `${operation.risk}, ${operation.reversibility}`],
    ['Data', operation.dataClass],
    ['Can', abilities.join(', ') || '-'],
    ['Limits', `${renderDuration(operation.timeoutMs)}, ${operation.maxAttempts} attempts, idempotency ${operation.idempotency}`],
    ['Secrets', operation.secrets.join(', ') || '-'],
    ['Takes', JSON.stringify(operation.input)],
    ['About', operation.description.replaceAll('\n', ' ')],
  ]
}

function phraseSuccess({ success }: WireWorkflow): string {
  return success === null ? 'its call does' : `${success.operation} shows ${JSON.stringify(success.expect)}`
}

function renderWorkflow({ style }: Shell, workflow: WireWorkflow): string {
  const owners = Object.entries(workflow.owners).map(([what, who]) => `${what}: ${who}`)
  const limits = Object.entries(workflow.limits).map(([name, value]) =>
    name.endsWith('Ms') ? `${name.slice(0, -2)} ${renderDuration(value)}` : `${name} ${value}`,
  )
  const facts = renderPairs([
    ['Agent', workflow.agent],
    ['Environment', `${workflow.environment}, stage ${workflow.stage}`],
    ['Owners', owners.join(', ')],
    ['Limits', limits.join(', ')],
    ['Succeeds when', phraseSuccess(workflow)],
    ['On failure', workflow.onFailure === 'undo' ? 'takes back what it did' : 'keeps what it did'],
    ['Version', workflow.version],
  ])
  const operations = workflow.operations.map(({ id, confine }) => {
    const bounds = Object.entries(confine).map(([pointer, reference]) => `${pointer} = ${reference}`)
    return `  ${id}${bounds.length === 0 ? '' : `  ${style('faint', `only ${bounds.join(', ')}`)}`}`
  })
  return [
    `${style('strong', workflow.name)}  ${workflow.title}`,
    facts.replaceAll(/^/gm, '  '),
    '',
    'May use:',
    ...operations,
  ].join('\n')
}
