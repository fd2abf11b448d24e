import { defineTool, parseSettings, type Tool, type ToolContext, z } from '@tidegate/tools'
import { createHttp } from '@tidegate/tools-http'
import { creditOperations } from './desk/credits.ts'
import { DESK_TOKEN } from './desk/fields.ts'
import { invoiceOperations } from './desk/invoices.ts'
import { refundOperations } from './desk/refunds.ts'
import { replyOperations } from './desk/replies.ts'
import { ticketOperations } from './desk/tickets.ts'

const SETTINGS = z.strictObject({
  /** Where the desk listens. It runs on this machine; for one elsewhere, leave `allowLoopback` out below and use https. */
  baseUrl: z.url().max(200),
})

/** The support desk as a tool: everything that an agent may propose to do there, and how each of it is seen and taken back. */
export const tool = ({ settings }: ToolContext): Tool => {
  const { baseUrl } = parseSettings(SETTINGS, settings, 'desk')
  const http = createHttp({ baseUrl, allowLoopback: true, bearer: DESK_TOKEN })
  return defineTool({
    name: 'desk',
    title: 'Support desk',
    operations: {
      ...ticketOperations(http),
      ...invoiceOperations(http),
      ...refundOperations(http),
      ...creditOperations(http),
      ...replyOperations(http),
    },
  })
}
