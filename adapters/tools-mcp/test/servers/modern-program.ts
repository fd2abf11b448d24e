import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { modernServer } from './modern.ts'

serveStdio(() => modernServer(), { legacy: process.argv[2] === 'strict' ? 'reject' : 'serve' })
