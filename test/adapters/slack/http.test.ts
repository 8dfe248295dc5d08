import { acknowledgement, chatConformance, patience } from '../../contracts/chat.ts'
import { createSlackRig } from './setup.ts'

chatConformance('Slack over HTTP', async () => (await createSlackRig('http')).rig)
acknowledgement('Slack over HTTP', async () => (await createSlackRig('http', { patience })).rig)
