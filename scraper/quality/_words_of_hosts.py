"""Words with which a host, a registrar or a server stands in for a site that is not there. See `_words`."""

from __future__ import annotations

from scraper.quality._doubt import Kind

HOSTS: dict[Kind, dict[str, tuple[str, str]]] = {
    "parked": {
        "a domain": (
            "domain|domaine|dominio|domínio|domein|alan ad|domén|домен|نطاق|النطاق|הדומיין|דומיין|डोमेन|"
            "tên miền|domän|verkkotunnus|ονομα χωρου|web ?adres",
            "域名|ドメイン|도메인|โดเมน",
        ),
        "a sale": (
            "for sale|buy this|buy now|make an offer|your offer|lease to own|may be available|zum verkauf|"
            "zu verkaufen|ist zu haben|kaufen|angebot abgeben|à vendre|en vente|acheter ce|faire une offre|"
            "en venta|se vende|comprar este|à venda|comprar o|in vendita|acquista|te koop|koop deze|satılık|"
            "satın al|na sprzedaż|kup tę|na prodej|k prodeji|koupit|продается|продаётся|купить|продаж|للبيع|"
            "شراء|למכירה|बिक्री|खरीद|rao bán|mua tên|dijual|beli domain|till salu|til salg|myynnissä|πωλειται|"
            "de vânzare|eladó",
            "出售|转让|一口价|購買|販売中|売り出し|판매 ?중|구매|매매|ขาย|ซื้อโดเมน",
        ),
        "a registrar or host": (
            "registr|registered|name ?server|dns\\b|whois|hosting provider|web ?host|hosted by|parked|"
            "parking page|geparkt|hébergeur|hébergement|enregistr|bureau d'enreg|réservé|registrad|aparcad|"
            "estacionad|hospedad|registrat|parcheggiat|geregistreerd|geparkeerd|kayıtlı|tescil|park edil|"
            "zarejestrowan|zaparkowan|registrov|zaparkov|зарегистрирован|припаркован|хостинг|регистратор|"
            "зареєстров|مسجل|محجوز|נרשם|חונה|पंजीकृत|đã được đăng ký|terdaftar|diparkir|registrerad|"
            "rekisteröity|parkovan|escrow|broker|ftp\\b|cpanel|plesk|webmail",
            "登録され|取得|서버 ?호스팅|등록|注册|注册商|备案|ネームサーバー|네임서버|จดทะเบียน",
        ),
        "advertisements": (
            "related (?:searches|links|topics)|sponsored|search ads|ads? by|ähnliche such|"
            "verwandte (?:links|such)|gesponser|anzeigen stammen|recherches (?:associées|apparentées)|"
            "liens sponsoris|búsquedas relacionadas|pesquisas relacionadas|ricerche correlate|gerelateerde|"
            "ilgili aramalar|powiązane wyszuk|похожие запрос|[$] ?\\d|€ ?\\d|\\d ?€|usd|price|precio|preço|"
            "prix\\b|preis|fiyat|цена",
            "関連(?:リンク|検索)|관련 ?검색|相关搜索|￥ ?\\d|¥ ?\\d|円|価格|价格|가격",
        ),
        "nothing put there": (
            "it works!|default (?:web ?)?page|default website|"
            "welcome to (?:nginx|apache|caddy|openresty|centos|plesk)|index of /|placeholder|"
            "apache2 .{0,20}default|iis windows|internet information services|test page for|"
            "no (?:web ?)?site (?:configured|here|yet)|nothing (?:here|uploaded)|aucun fichier|non installé|"
            "aucun site|hier entsteht|keine inhalte|noch keine website|ningún (?:archivo|sitio)|"
            "nenhum (?:arquivo|site)|nessun (?:file|sito)|geen website|henüz (?:bir )?(?:site|dosya)|"
            "brak strony|nie ma jeszcze|zatím (?:žádn|není)|сайт не (?:настроен|найден|создан)|нет файлов|"
            "на сервере|файлы сайта|لا يوجد موقع|אין אתר|chưa có (?:trang|website)|belum ada",
            "まだホームページ|使われていません|ファイルがありません|아직 .{0,12}없습니다|홈페이지가 없|"
            "没有(?:网站|文件)|尚未|ยังไม่มีเว็บ",
        ),
    },
    "suspended": {
        "its state": (
            "suspend|expired|has run out|on hold|deactivat|disabled|terminated|shut down|shelved|"
            "no longer (?:available|exists)|(?:is|has) gone\\b|limit exceeded|overdue|unpaid|past due|gesperrt|"
            "abgelaufen|deaktiviert|eingestellt|stillgelegt|suspendu|expiré|désactivé|interrompu|suspendid|"
            "caducad|vencid|expirad|desactivad|inhabilitad|suspens|venceu|expirou|desativad|sospes|scadut|"
            "disattivat|verlopen|opgeschort|geblokkeerd|buiten gebruik|askıya|süresi (?:dol|bit)|durdurul|"
            "zawieszon|wygas|zablokowan|pozastaven|vypršel|zrušen|приостановлен|истек|истёк|заблокирован|"
            "отключен|отключён|закончился|не оплачен|призупинен|معلق|تعليق|انتهت|انتهاء|موقوف|הושע|פג תוקף|"
            "הושבת|निलंबित|समाप्त|tạm ngưng|tạm khóa|hết hạn|ditangguhkan|kedaluwarsa|dinonaktifkan|avstäng|"
            "upphört|inaktiverat|suspendert|utløpt|keskeytetty|vanhentunut|εχει λησει|ανασταλ|suspendat|"
            "expirat|felfüggeszt|lejárt",
            "期限切れ|停止|凍結|만료|정지|중지|끝난|过期|到期|暂停|停用|冻结|ระงับ|หมดอายุ",
        ),
        "what is suspended": (
            "account|hosting|plan\\b|subscription|this (?:site|website|blog|store|page)|website|bandwidth|"
            "konto|paket|vertrag|tarif|diese (?:website|seite)|compte|abonnement|forfait|offre|ce site|cuenta|"
            "alojamiento|este sitio|suscripción|conta|plano|hospedagem|assinatura|este site|piano|abbonamento|"
            "questo sito|hesab|paketi|barındırma|bu site|üyelik|ta strona|usługa|abonament|účet|služb|"
            "tento web|předplatn|аккаунт|хостинг|тариф|сайт|подписк|обліков|حساب|استضافة|هذا الموقع|الاشتراك|"
            "חשבון|מנוי|אתר זה|खाता|होस्टिंग|tài khoản|gói dịch vụ|website này|akun|layanan|situs ini|"
            "webbhotell|sivusto|tili|λογαριασμ|fiók|tárhely",
            "アカウント|契約|サービス|ホスティング|호스팅|서비스|이용 ?기간|계정|홈페이지|账户|帐户|账号|套餐|"
            "主机|网站|空间|บัญชี|โฮสติ้ง|แพ็กเกจ|เว็บไซต์นี้",
        ),
        "a word to the owner": (
            "owner|renew|billing|contact (?:support|your|the|us)|is it yours|is the blog yours|if it is yours|"
            "terms of service|upgrade|reactivat|invoice|payment|support\\b|inhaber|verläng|zahlung|betreiber|"
            "kundenservice|reaktivier|propriétaire|renouvel|facture|paiement|propietari|titular|renueve|"
            "renovar|pago|dono\\b|renove|renovação|pagamento|proprietar|rinnov|eigenaar|verleng|betaling|"
            "yenile|sahibi|ödeme|odnów|właściciel|płatno|obnov|majitel|vlastník|platb|владел|продл|оплат|"
            "администратор|власник|تجديد|المالك|صاحب|الدفع|חידוש|בעל האתר|תשלום|नवीनी|स्वामी|भुगतान|gia hạn|"
            "chủ sở hữu|thanh toán|perpanjang|pemilik|pembayaran|förny|ägare|betalning|eier\\b|uusi|omistaja|"
            "ιδιοκτητ|tulajdonos",
            "更新手続|管理者|お支払|関連|연장|관리자|소유자|결제|续费|续期|管理员|站长|缴费|ต่ออายุ|เจ้าของ|ชำระ",
        ),
    },
    "coming-soon": {
        "soon": (
            "coming soon|opens? soon|opening soon|launch|soon\\b|stay tuned|almost (?:there|ready)|on its way|"
            "bald\\b|demnächst|in kürze|bientôt|prochainement|ouverture prochaine|próximamente|muy pronto|"
            "en breve|em breve|prossimamente|a breve|presto\\b|in arrivo|binnenkort|yakında|çok yakında|"
            "wkrótce|niebawem|již brzy|brzy\\b|připravujeme|скоро\\b|в ближайшее время|незабаром|قريبا|ترقبو|"
            "בקרוב|जल्द|शीघ्र|sắp ra mắt|sắp có|segera|kommer snart|snart\\b|tulossa|pian\\b|συντομα|ερχεται|"
            "în curând|hamarosan|uskoro|junbi-?chu",
            "近日|まもなく|準備中|곧 |준비 ?중|오픈 ?예정|即将|敬请期待|敬請期待|เร็ว ?ๆ ?นี้|พบกัน",
        ),
        "being built": (
            "under construction|being built|new (?:website|site|home|page|look|online)|working on|"
            "we are building|im aufbau|in bearbeitung|neue (?:website|webseite|homepage|internet|seite)|"
            "neuer internet|hier entsteht|en construction|nouveau site|nouvelle version|en construcción|"
            "nuev[ao] (?:sitio|web|página)|em construção|nov[oa] site|novo portal|in costruzione|nuovo sito|"
            "in aanbouw|nieuwe (?:website|site)|yapım aşam|yeni (?:web|site)|hazırlan|w budowie|nowa strona|"
            "now(?:ej|ą) stron|ve výstavbě|nový web|nové stránky|в разработке|в стадии|новый сайт|новом сайте|"
            "новим сайтом|новий сайт|قيد الإنشاء|تجهيز|موقعنا الجديد|בבנייה|אתר חדש|החדש|निर्माण|नई वेबसाइट|"
            "đang xây dựng|website mới|trang web mới|sedang dibangun|situs (?:web )?baru|under uppbyggnad|"
            "ny(?:a)? (?:webbplats|hemsida|hjemmeside|nettside)|rakenteilla|uudet sivut|υπο κατασκευη|"
            "în construcție|fejlesztés alatt",
            "工事中|作成中|制作中|リニューアル|新しい(?:サイト|ホームページ)|제작 ?중|공사 ?중|"
            "새로운 ?(?:홈페이지|사이트)|새 홈페이지|建设中|建設中|新网站|新版|กำลังก่อสร้าง|เว็บไซต์ใหม่|"
            "กำลังจัดทำ",
        ),
        "an invitation": (
            "notify me|leave your (?:e-?mail|address)|hear first|be the first|come (?:again|back)|sign up|"
            "follow us|contact us|e-?mail|until then|in the meantime|benachricht|schauen sie|bis dahin|vorbei|"
            "revenez|restez|en attendant|inscri|vuelva|mientras|suscr|avis[ae]|volte|enquanto|cadastr|"
            "nel frattempo|torna|iscriv|kom (?:terug|snel)|intussen|bizi takip|haberdar|zapraszamy|zostaw|"
            "zatím|sledujte|заходите|следите|подпиш|слідкуй|تابعونا|للحجز|للتواصل|עקבו|צור קשר|संपर्क|"
            "hãy quay lại|liên hệ|hubungi|håll utkik|välkommen|følg|tervetuloa|please visit|days\\b|hours\\b|"
            "tage\\b|jours\\b|días\\b|dias\\b|giorni\\b",
            "お問い合わせ|お待ちください|문의|기다려|联系|关注|ติดต่อ|ติดตาม",
        ),
    },
    "maintenance": {
        "work": (
            "maintenance|maintain|upkeep|upgrading|being updated|updating|improving|wartung|gewartet|umbau|"
            "arbeiten|überarbeit|schraub|neue technik|mise à jour|travaux|mantenimiento|actualiza|mejora|"
            "manutenç|atualiz|melhor|manutenzione|aggiorna|onderhoud|bijgewerkt|werkzaamheden|bakım|güncelle|"
            "konserwac|przerwa technicz|aktualizac|prace technicz|údržb|технич|профилакт|обновл|обслуж|"
            "техобслуг|оновл|صيانة|تحديث|תחזוקה|שדרוג|रखरखाव|अद्यतन|bảo trì|nâng cấp|pemeliharaan|perbaikan|"
            "perawatan|underhåll|vedligehold|vedlikehold|huolto|päivit|συντηρησ|mentenan|întreținere|karbantart",
            "メンテナンス|保守|点検|점검|작업|업데이트|维护|維護|升级|ปรับปรุง|บำรุง|ซ่อมบำรุง",
        ),
        "out of reach": (
            "unavailable|not available|offline|off line|down for|is down|closed\\b|out of service|"
            "nicht erreichbar|nicht verfügbar|vorübergehend|momentan|kurzzeitig|indisponible|inaccessible|"
            "momentaném|temporairement|no (?:está )?disponible|temporalmente|fuera de (?:servicio|línea)|"
            "indisponíve|fora do ar|temporariament|non (?:è )?(?:disponibile|raggiungibile)|temporaneamente|"
            "niet (?:bereikbaar|beschikbaar)|tijdelijk|kapalı|erişilem|geçici|hizmet verem|niedostępn|"
            "tymczasow|nedostupn|dočasn|mimo provoz|недоступ|временно|не работает|тимчасов|غير متاح|مؤقت|متوقف|"
            "אינו זמין|זמנית|לא זמין|अनुपलब्ध|बंद है|अस्थायी|tạm (?:ngưng|dừng|thời)|"
            "không (?:khả dụng|truy cập)|tidak (?:tersedia|dapat)|sementara|otillgänglig|tillfälligt|"
            "midlertidig|utilgjengelig|poissa käytöstä|tilapäis|εκτος|μη διαθεσιμ|προσωριν|indisponibil|"
            "nem elérhető",
            "一時|停止|利用できません|ご利用いただけ|중단|이용이 불가|이용하실 수 없|暂时|暫時|无法访问|关闭|"
            "ชั่วคราว|ไม่สามารถ|ปิด",
        ),
        "until later": (
            "back (?:soon|online|shortly|in)|be back|check back|try again|return soon|right back|shortly|"
            "bald wieder|wieder (?:online|für sie|da|erreichbar)|später|in kürze|réessay|de retour|revenez|"
            "à bientôt|plus tard|volv(?:er|emos)|vuelva|regres|más tarde|int[eé]ntelo|volt(?:amos|e|aremos)|"
            "mais tarde|tente|retorn|torn(?:eremo|iamo|ate|a) |riprova|più tardi|a presto|later|"
            "kom.{1,12}terug|probeer|snel weer|geri (?:dön|gel)|daha sonra|tekrar|birazdan|wrócimy|wracamy|"
            "później|spróbuj|zkuste|později|vrátíme|brzy zpět|позже|попробуйте|вернемся|вернёмся|"
            "скоро (?:верн|будем)|пізніше|повернемо|لاحقا|سنعود|المحاولة|מאוחר|נחזור|שוב|बाद में|वापस|पुनः|"
            "quay lại|sau\\b|thử lại|kembali|nanti|coba|tillbaka|senare|tilbage|tilbake|senere|takaisin|"
            "myöhemmin|αργοτερα|επιστρεψ|mai târziu|revenim|később|hamarosan|ab (?:montag|morgen|heute)|"
            "between|entre \\d|patience|verständnis|geduld|désolé|inconvenien|disculp|desculp|scus|excus|"
            "excuses|özür|przeprasz|omlouv|извин|نعتذر|סליחה|क्षमा|xin lỗi|mohon maaf|ursäkta|beklag",
            "しばらく|後ほど|再度|お詫び|ご迷惑|나중에|다시|불편|죄송|양해|稍后|稍後|再试|抱歉|不便|ภายหลัง|อีกครั้ง|ขออภัย",
        ),
    },
    "error-page": {
        "an error": (
            "server error|internal (?:server )?error|runtime error|fatal error|application error|"
            "error (?:5\\d\\d|code|id)|errors?\\b|5\\d\\d\\b|exception|fehler|serverfehler|erreur|"
            "error interno|erro\\b|erro interno|errore|foutmelding|fout\\b|serverfout|hata|sunucu hatası|błąd|"
            "błęd|chyba|ошибка|ошибк|помилка|خطأ|שגיאה|त्रुटि|lỗi|kesalahan|serverfel|fel\\b|feil\\b|fejl\\b|"
            "virhe|σφαλμα|eroare|hiba\\b|bad gateway|gateway time-?out|service unavailable",
            "エラー|오류|에러|错误|錯誤|异常|ข้อผิดพลาด|ผิดพลาด",
        ),
        "what broke": (
            "database|datenbank|base de données|bases? de (?:datos|dados)|databas|veritaban|baz[ay] danych|"
            "databáz|баз[аыуе] данных|баз[аи] даних|قاعدة (?:ال)?بيانات|מסד|डेटाबेस|cơ sở dữ liệu|basis data|"
            "adatbázis|sqlstate|mysql|postgres|connection|connect\\b|stack trace|traceback|exception|uncaught|"
            "undefined|on line \\d|web\\.config|server|serveur|servidor|servizio|sunucu|serwer|сервер|خادم|שרת|"
            "सर्वर|máy chủ|peladen|palvelin|script|internal|application\\b|anwendung|aplicaç|applicazione",
            "データベース|データーベース|サーバ|데이터베이스|서버|数据库|服务器|資料庫|伺服器|ฐานข้อมูล|เซิร์ฟเวอร์",
        ),
        "an excuse": (
            "something went wrong|went wrong|oops|unexpected|could not|cannot be|couldn't|try again|notified|"
            "administrator|webmaster|etwas schief|ist ein fehler|ließ sich nicht|aufgetreten|verwaltung|oups|"
            "trébuch|quelque chose|s'est produite|survenue|algo (?:salió|deu|ha ido)|inesperad|ocurri|ocorreu|"
            "qualcosa|imprevist|si è verificat|iets (?:ging|mis)|misgegaan|bir şeyler|ters gitti|oluştu|"
            "yönetici|coś poszło|wystąpił|něco|došlo k|что-то пошло|произошла|непредвиден|щось|сталася|حدث|عذر|"
            "משהו|אירע|कुछ गलत|đã xảy ra|sự cố|terjadi|något gick|oppsto|opstod|tapahtui|κατι πηγε|a apărut|"
            "hiba történt",
            "問題が発生|発生しました|申し訳|문제가 발생|발생했|出错了|出了点问题|发生|เกิด",
        ),
    },
}
