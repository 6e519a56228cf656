const words = `
  atprotocol atsign blacksky dids nsids plcdirectory tids

  adidas adobe aerlingus airbnb airbus airfrance alibaba aliexpress allianz amazon amazonprime amd
  americanexpress amex aol arsenal asus att audi aws azure baidu balenciaga bankofamerica barclays bayer bbc
  bbcnews benz bestbuy bing bitbucket bitcoin blackberry blackrock blizzard bloomberg bmw bnpparibas boeing
  bosch britishairways broadcom burberry burgerking cadillac canon cartier cbs cbsnews chanel chase chatgpt
  chevrolet chevron chrome chromium cisco citibank citigroup cloudflare cnbc cnn cocacola codeberg coinbase
  comcast costco creditsuisse deepmind dell deloitte deutschebank dhl dior discord disney disneyplus docker
  doordash dropbox duckduckgo duolingo ebay economist ericsson espn ethereum exxon exxonmobil facebook
  fcbarcelona fedex ferrari fidelity fifa firefox flickr forbes ford fortnite foxnews fujitsu genentech
  generalmotors gitea gitlab gmail goldmansachs googledocs googlemaps gopro guardian gucci harvard heineken
  hermes hilton hitachi hmm honda honeywell hotmail hsbc huawei huffpost hulu hyundai ibm icloud ikea imdb
  intel intercom interpol intuit ipad iphone itunes jaguar jira jpmorgan kfc kickstarter lamborghini landrover
  lego lenovo lexus lgelectronics lidl linkedin liverpoolfc lloyds loreal louisvuitton lufthansa lyft macbook
  macos manchesterunited marriott mastercard mastodon maybelline mazda mcdonalds mckinsey mercedes mercedesbenz
  metaverse midjourney minecraft mistral mitsubishi mlb monzo morganstanley motorola mozilla msn msnbc nasa
  nasdaq nato nba nbc nbcnews nestle netflix newyorker newyorktimes nfl nhl nike nintendo nissan nokia npm npr
  nvidia nypost nytimes okta openai outlook oxford panasonic patreon paypal pepsi pepsico perplexity pfizer
  philips pinterest pixar playstation porsche prada protonmail puma qantas qualcomm quora razer redcross reddit
  redhat renault reuters revolut roblox rolex rollsroyce ryanair salesforce samsung santander sap sega sephora
  shein shell shopify siemens skype slack snapchat snapdragon soundcloud spacex sparkasse spotify stackoverflow
  stanford starbucks starlink steam stripe subaru substack suzuki swisscom symantec teamviewer telegram temu
  tencent tesla theguardian theonion thinkpad tmobile toshiba toyota trello tripadvisor truthsocial tumblr
  twitch uber ubisoft ubs ubuntu unesco unicef unilever unitednations ups usatoday usps vatican verizon vimeo
  visa vmware vodafone vogue volkswagen volvo walmart warnerbros washingtonpost waymo wechat weibo wellsfargo
  westernunion whatsapp whitehouse wikimedia wikipedia wired wordpress worldbank xbox xiaomi yahoo yale yandex
  yelp zalando zara zelle zendesk zillow zoom

  aoc arianagrande barackobama berniesanders beyonce billgates billieeilish borisjohnson britneyspears
  cristiano cristianoronaldo davidbeckham donaldtrump dril dualipa edsheeran ellendegeneres elonmusk eminem
  emmanuelmacron georgewbush gretathunberg harrystyles hillaryclinton jackdorsey jeffbezos jimmyfallon joebiden
  joerogan justinbieber justintrudeau kamalaharris kanyewest katyperry keirstarmer kimkardashian kingcharles
  kyliejenner ladygaga lebronjames leomessi lionelmessi macron madonna markzuckerberg melaniatrump
  michelleobama mikepence modi mrbeast narendramodi neymar obama olafscholz oliviarodrigo oprah oprahwinfrey
  parishilton pewdiepie popefrancis princeharry princewilliam putin queenelizabeth rihanna robertdowneyjr
  ronaldo satyanadella selenagomez serenawilliams shakira snoopdogg stephencolbert stephenking sundarpichai
  taylorswift timcook tomcruise tomhanks trump vladimirputin volodymyrzelensky willsmith xijinping zelensky
  zuckerberg`

/**
 * First labels that nobody gets under a handle domain because everybody would take the account for somebody else's: the
 * protocol's own words, brands, institutions, and people whom the world knows.
 */
export const reservedNames: ReadonlySet<string> = new Set(words.trim().split(/\s+/))
