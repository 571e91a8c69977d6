"""Words of walls between a visitor and a site: a test for robots, a consent dialogue, a login. See `_words`."""

from __future__ import annotations

from scraper.quality._doubt import Kind

WALLS: dict[Kind, dict[str, tuple[str, str]]] = {
    "bot-challenge": {
        "a machine or a human": (
            "human|robot|bots?\\b|captcha|automat|mensch|humain|persona\\b|pessoa|robô|umano|mens bent|mensen|"
            "insan|gerçek bir|człowiek|człowieczeń|člověk|clovek|человек|робот|людин|кто пришел|zombie|"
            "malicious|kötü niyet|إنسان|بشر|روبوت|אנושי|רובוט|אדם|मानव|इंसान|रोबोट|con người|người thật|"
            "người máy|manusia|människa|menneske|ihminen|ανθρωπ|ρομποτ|ember|uman\\b",
            "로봇|사람|인간|자동화|자동 접속|机器人|機器人|真人|人机|人類|人间|ロボット|人間|มนุษย์|หุ่นยนต์|บอท",
        ),
        "a check": (
            "check|verif|characters you|the characters|security|überprüf|prüf|vergewiss|sicherheit|vérif|"
            "contrôl|sécurité|compro|seguridad|segurança|confirm|controle|controll|kontrol|doğrul|güvenlik|"
            "weryfik|sprawdz|bezpiecz|ověř|kontrola|провер|перевір|безопасн|смотрим|تحقق|التحقق|فحص|אימות|בודק|"
            "בדיקה|सत्याप|जाँच|जांच|xác minh|kiểm tra|verifikasi|memeriksa|keamanan|verifier|kontroller|"
            "tarkist|επαληθ|ελεγχ|ellenőr|test\\b",
            "확인|검증|보안|验证|驗證|安全检查|校验|检测|確認|認証|検証|ตรวจสอบ|ยืนยัน|ความปลอดภัย",
        ),
        "the browser": (
            "browser|javascript|java script|cookies? (?:must|have|müssen)|navigateur|navegador|tarayıcı|"
            "przeglądark|prohlížeč|браузер|متصفح|דפדפן|ब्राउज़र|ब्राउजर|trình duyệt|peramban|webbläsar|"
            "nettleser|selain|böngésző",
            "브라우저|자바스크립트|浏览器|瀏覽器|ブラウザ|เบราว์เซอร์",
        ),
        "wait": (
            "just a moment|one moment|please wait|einen moment|augenblick|un instant|patient|un momento|espere|"
            "aguarde|attend|attendere|wacht even|moment geduld|bekleyin|saniye|yönlendiril|chwil|okamžik|"
            "подожд|секунд|зачекайте|لحظة|انتظر|ثوان|רגע|प्रतीक्षा|vui lòng chờ|giây|tunggu|sebentar|redirect|"
            "in a few seconds|weitergeleitet|et øjeblik|ett ögonblick|hetki|περιμεν|kis türelm",
            "잠시|기다려|초 후|请稍候|请稍等|稍候|秒后|お待ち|しばらく|秒後|โปรดรอ|รอสักครู่",
        ),
        "a refusal": (
            "access denied|access is denied|blocked|forbidden|request rejected|not allowed|no permission|"
            "unusual traffic|too many requests|zugriff verweigert|zugang verweigert|gesperrt|blockiert|"
            "accès refusé|accès bloqué|temporairement restreint|acceso denegado|bloquead|acesso negado|barrad|"
            "accesso negato|bloccat|geblokkeerd|toegang geweigerd|erişim engel|engellend|reddedildi|"
            "dostęp zablokowan|zablokowan|přístup odepřen|zakázán|доступ запрещ|доступ ограничен|заблокирован|"
            "заборонено|محظور|تم حظر|رفض الوصول|נחסמ|הגישה נדחתה|अवरुद्ध|bị chặn|từ chối|diblokir|ditolak|"
            "nekad|nektet|estetty",
            "차단|거부|禁止访问|拒绝访问|拦截|访问被|アクセス拒否|ブロック|拒否|ถูกบล็อก|ปฏิเสธ",
        ),
        "a number of the event": (
            "reference ?#|support id|ray.?id|incident id|request id|event (?:id|number)|your ip|ihre ip|"
            "votre ip|su ip|seu ip|ваш ip|ip.?adres[a-z]*:? *\\d|ip:? *\\d{1,3}\\.\\d|"
            "reference (?:id|number|no)|id de r|block id|trace id",
            "접속 ip|이벤트 번호|事件编号|请求id|您的ip|参照番号",
        ),
    },
    "consent-wall": {
        "what it wants": (
            "cookie|tracking|tracker|traceur|rastread|personal data|your data|vos données|sus datos|seus dados|"
            "tuoi dati|gegevens|veriler|dane osobowe|osobní údaje|персональн|файлы куки|privacy|datenschutz|"
            "confidentialit|privacidad|privacidade|riservatezza|gizlilik|prywatno|soukrom|конфиденциальн|"
            "partners?\\b|partenaires|werbung|ads\\b|advert|anúncio|خصوصية|ملفات تعريف|עוגיות|פרטיות|कुकी|"
            "quyền riêng tư|privasi|integritet|personvern|tietosuoja",
            "쿠키|개인정보|隐私|隱私|cookie|クッキー|個人情報|プライバシー|คุกกี้|ความเป็นส่วนตัว",
        ),
        "consent": (
            "accept|agree|are you (?:over|at least|of legal|a health)|"
            "sind sie (?:über|mindestens|volljährig|arzt)|avez-vous plus|êtes-vous (?:majeur|un prof)|"
            "es (?:usted )?(?:mayor|profesional)|você (?:tem|é) |sei (?:un|maggiorenne)|ben je|bent u|"
            "czy (?:masz|jesteś)|вам (?:есть|уже)|вы (?:старше|являетесь)|consent|allow all|i am over|i'm over|"
            "akzeptier|zustimm|einwillig|einverst|accord|j'accepte|tout accepter|acepto|aceptar|consentimiento|"
            "aceito|aceitar|concordo|consentimento|accett|consenso|akkoord|accepteer|toestemming|kabul|onay|"
            "rıza|akcept|zgod|zgadzam|souhlas|přij|принять|согла|прийняти|погодж|موافق|أوافق|قبول|מסכים|הסכמה|"
            "אישור|स्वीकार|सहमत|đồng ý|chấp nhận|setuju|terima|godkänn|samtyck|godta|hyväksy",
            "동의|수락|同意|接受|承諾|許可|ยอมรับ|ยินยอม",
        ),
        "a door": (
            "before (?:you|we)|continue|to enter|enter (?:the )?site|required|gate\\b|bevor sie|weiterlesen|"
            "fortfahren|erforderlich|avant de|pour ouvrir|continuer|accéder|antes de|para entrar|continuar|"
            "para continuar|acceso para|prima di|per continuare|doorgaan|om .{1,60} te bezoeken|verder naar|"
            "devam et|önce|zanim|aby przejść|než budete|pokračovat|прежде чем|чтобы продолжить|перш ніж|قبل|"
            "للمتابعة|לפני|להמשך|जारी|trước khi|tiếp tục|sebelum|lanjutkan|innan du|før du|ennen kuin",
            "계속하|입장|진입|继续|進入|进入|続行|続ける|入場|ดำเนินการต่อ|เข้าสู่",
        ),
        "an age or a profession": (
            "age verif|your age|years old|over (?:18|21)|of legal age|volljährig|über 18|altersprüf|majeur|"
            "plus de 18|mayor de edad|mayores de 18|maior de 18|maggiorenne|18 jaar|18 yaş|ukończ|18 lat|"
            "18 let|мне есть 18|исполнилось 18|healthcare professional|health professional|fachkreis|heilberuf|"
            "professionnels? de (?:la )?santé|profesional(?:es)? sanitari|profissiona(?:l|is) de saúde|"
            "professionist[ai] sanitari|zorgprofessional|sağlık mesleği|специалист(?:ом|ов)? здравоохранения|"
            "מקצוע",
            "세 이상|만 19세|성인 인증|年满18|18周岁|18歳以上|年齢確認|医療関係者|의료 ?전문|อายุ 18",
        ),
    },
    "login-wall": {
        "sign in": (
            "log ?in|sign ?in|anmeld|einlogg|connexion|connectez|se connecter|iniciar sesión|inicia sesión|"
            "acceder|ingresar|entrar\\b|iniciar sessão|fazer login|accedi|accesso|inlogg|aanmeld|giriş|"
            "oturum aç|zaloguj|logowani|přihlá|войти|вход\\b|авторизу|увійти|تسجيل الدخول|سجل الدخول|התחבר|"
            "כניסה|लॉग ?इन|साइन इन|đăng nhập|masuk|logg(?:a|e)? ?inn?|kirjaudu|συνδεση|bejelentkez|autentific",
            "로그인|登录|登錄|登入|ログイン|เข้าสู่ระบบ",
        ),
        "a secret": (
            "password|passcode|access code|passwort|kennwort|zugangscode|mot de passe|code d'accès|contraseña|"
            "clave\\b|senha|palavra-passe|parola|wachtwoord|şifre|hasło|heslo|пароль|كلمة (?:المرور|السر)|סיסמ|"
            "पासवर्ड|mật khẩu|kata sandi|lösenord|passord|adgangskode|salasana|κωδικ|jelszó",
            "비밀번호|암호|密码|密碼|パスワード|合言葉|รหัสผ่าน",
        ),
        "a closed door": (
            "private|members? only|members'|restricted|protected|closed to the public|invitation|authori[sz]ed|"
            "to (?:view|see|read|access)|geschützt|nur für (?:mitglieder|registrierte)|geschlossen|privat\\b|"
            "accès protégé|réservé|privé|membres|protegid|privad|registrados|restrit|reservad|membros|riservat|"
            "privat|protett|soci\\b|besloten|beveiligd|alleen voor leden|üyelere|gizli|korumalı|özel|chronion|"
            "tylko dla|prywatn|chráněn|soukrom|pouze pro|закрыт|только для|защищ|приватн|تحتاج|محمي|خاص|"
            "للأعضاء|פרטי|מוגן|לחברים|केवल सदस्य|निजी|bảo vệ|riêng tư|thành viên|terbatas|anggota|skyddad|"
            "medlem|suojattu|jäsen",
            "회원|비공개|보호된|제한|会员|私密|受保护|仅限|会員|限定|非公開|保護|สมาชิก|ส่วนตัว",
        ),
    },
}
