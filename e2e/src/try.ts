import { setStage } from './stage.ts'
const stage = await setStage({ customers: 4 })
try {
  const t = Date.now()
  const server = await stage.start()
  console.log('ready', Date.now() - t, stage.url)
  const op = stage.client('operator')
  const made = await stage.desk.call('POST', '/tickets', { customerId: 'c-20000', subject: 'hello', body: 'Please correct the address on invoice inv-40000. We are at Lindenstrasse 21, 10969 Berlin, not number 12.', severity: 3 })
  console.log(made)
  const a = await op.trigger({ workflow: 'support-billing', source: 'desk', event: 'e1', input: { ticketId: String(made.answer.id) } })
  console.log(a, await op.settled(a.run, 10000))
  console.log(server.stderr())
} finally {
  await stage.close()
}
