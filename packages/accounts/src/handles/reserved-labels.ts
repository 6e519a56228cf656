const words = `
  about abuse accept access account accounts activate activity adm admin admins administrator administrators ads
  advertise advertising affiliate affiliates alert alerts alpha analytics android announce announcement announcements
  anonymous anybody anyone api apis app appeal appeals apple apps appview archive archives assets at atom atp atproto auth
  authentication authorize autoconfig autodiscover avatar avatars backup backups banner banners beta billing blob blobs
  blog blogs bluesky board bot bots broadcasthost browse bsky bskysocial bugs business cache calendar campaign cancel
  careers cart cdn certificate changelog channels chat checkout client clients cloud cluster code comment
  comments community compliance confirm connect console contact contacts content control cookie cookies copyright
  corp create customer customers dashboard data database debug default delete deploy dev devel developer
  developers development did didweb dir directory disable dmarc dns dns1 dns2 docs documentation domain domains
  donate download downloads edit editor education email embed employment enable enterprise error errors everybody
  everyone example explore export exports faq favicon features feed feedback feedgen feeds file files finger firehose
  follow follower followers following forgot forum forums ftp gateway gdpr git github google grafana graph graphql
  group groups guest guests handle handles hashtag health healthz hello help helpdesk home homepage host hosting
  hostmaster hostname html http httpd https icons identity image images imap img import imports inbox index info
  infrastructure install instagram internal invalid invite invites invoice invoices ios ipv4 ipv6 irc isatap issue
  issues jobs js json jwks jwt keys kubernetes labeler labelers lang legal lex lexicon lexicons library license links
  linux list lists livez load local localdomain localhost log login logo logout logs lookup mail mail1 mail2
  mailer mailer-daemon mailerdaemon mailing maintenance manage manager map maps marketing master media member members
  mentions message messages meta metrics microsoft microservice mobile mod moderate moderation moderator moderators
  module monitor monitoring mta mta-sts mx mx1 mx2 myaccount name names nameserver network networks news newsletter
  nobody nodeinfo noreply no-reply notification notifications notify ns ns1 ns2 ns3 ns4 nsid null oauth oauth2 official
  offline ops operations operator order orders organization owner ozone package packages page pages panel partner
  partners password passwords payment payments pds phishing photos ping plans plc policies policy pop pop3
  popular portal post postmaster posts press pricing privacy private prod product production products profile
  profiles proxy public purchase push query queue readyz recovery redirect register registration relay relays
  release releases remote remove report reports repo repos request reset resolver restore review reviews robots
  rookery root router rss rules sales sandbox save script scripts search secret secure security select server
  servers service services session sessions settings setup share shop signin signout signup site sitemap sites smtp
  socket spam spf sql ssh ssl ssladmin ssladministrator sslwebmaster staff stage staging starterpack stat static
  statistics stats status storage store stream subdomain subscribe subscribers subscription superuser support survey
  svn sync sysadmin sysadministrator sysop system tag tags team teams telemetry tenant tenants terms test
  testing tests threads tid tiktok tls token tokens tools trace traffic trending trust twitter undefined unknown
  unsubscribe update updates upgrade upload uploads url usage user username users validation vendor verification
  verified verify version video videos volunteer vpn watch web webadmin webhook webhooks webmail webmaster website
  well-known welcome whois widget widgets wiki wildcard windows worker workers workspace wpad ws wss www www1 www2
  www3 xml xmpp xrpc xyz youtube zone`

/** First labels that nobody gets under a handle domain: names that DNS, mail, the web or the provider uses. */
export const reservedLabels: ReadonlySet<string> = new Set(words.trim().split(/\s+/))
